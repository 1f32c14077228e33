import { ShapeError } from "../../../base/errors.ts";
import { formatShape } from "../../layout/shape.ts";
import { broadcastShapes, normalizeAxis } from "../shapes.ts";
import type { Tensor } from "../tensor.ts";
import { broadcastTo } from "./broadcast-to.ts";
import { roll } from "./roll.ts";

/** The vector product along `axis` (the last), which has size 3; other axes broadcast. @throws ShapeError, OptionError */
export function cross(a: Tensor, b: Tensor, axis = -1): Tensor {
  const shape = broadcastShapes("cross", a.shape, b.shape);
  const at = normalizeAxis("cross", axis, shape.length);
  if (shape[at] !== 3) throw new ShapeError(`cross: expected size 3 at axis ${at}, found ${formatShape(shape)}`);
  const [x, y] = [broadcastTo(a, shape), broadcastTo(b, shape)];
  const next = (v: Tensor): Tensor => roll(v, -1, at);
  // (a x b)[i] = a[i + 1] b[i + 2] - a[i + 2] b[i + 1]
  return next(x).mul(next(next(y))).sub(next(next(x)).mul(next(y))); // prettier-ignore
}
