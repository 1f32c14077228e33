import { ShapeError } from "../../../base/errors.ts";
import { normalizeAxis, sizeOf } from "../shapes.ts";
import type { Tensor } from "../tensor.ts";
import { sigmoid } from "./sigmoid.ts";

/** The first half along `axis` times sigmoid of the second: [.., 2n, ..] -> [.., n, ..]. @throws ShapeError */
export function glu(x: Tensor, axis: number = -1): Tensor {
  const at = normalizeAxis("glu", axis, x.shape.length);
  const size = sizeOf(x.shape, at);
  if (size % 2 !== 0) throw new ShapeError(`glu: expected an even size of axis ${at}, found ${size}`);
  return x.narrow(at, 0, size / 2).mul(sigmoid(x.narrow(at, size / 2, size / 2)));
}
