import { OptionError, ShapeError } from "../../../base/errors.ts";
import { elementCount, formatShape } from "../../layout/shape.ts";
import { toFloat } from "../operands.ts";
import type { Tensor } from "../tensor.ts";
import { checkVectors, scaleAndShift, standardize } from "./standardize.ts";

/**
 * x [B, C, ...]: normalises each of `groups` groups of neighbouring channels of each example to mean 0 and variance 1,
 * then scales by `weight` [C] and shifts by `bias` [C], in float32 (Wu and He, 2018). @throws ShapeError, OptionError
 */
export function groupNorm(x: Tensor, groups: number, weight?: Tensor | null, bias?: Tensor | null, eps = 1e-5): Tensor {
  const [batch = 0, channels = 0, ...spatial] = x.shape;
  if (x.shape.length < 2) throw new ShapeError(`groupNorm: expected [B, C, ...], found ${formatShape(x.shape)}`);
  if (!(Number.isInteger(groups) && groups >= 1 && channels % groups === 0)) {
    throw new OptionError(`groupNorm: expected groups that divide ${channels} channels, found ${groups}`);
  }
  checkVectors("groupNorm", [channels], { weight, bias });
  const apart = x.cast("float32").reshape([batch, groups, (channels / groups) * elementCount(spatial)]);
  const normal = standardize(apart, [2], eps).reshape(x.shape);
  return scaleAndShift(normal, weight, bias, [channels, ...spatial.map(() => 1)], toFloat(x));
}
