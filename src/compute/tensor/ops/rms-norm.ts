import type { Shape } from "../../compiler/ir.ts";
import { toFloat } from "../operands.ts";
import type { Tensor } from "../tensor.ts";
import { lastAxes } from "./layer-norm.ts";
import { checkVectors, scaleAndShift } from "./standardize.ts";

const EPSILON = 2 ** -23; // float32's

/**
 * Divides by the root of the mean square over the last axes, of `normalizedShape`, then scales by `weight`:
 * y = x / sqrt(mean(x^2) + eps) * w, in float32 (Zhang and Sennrich, 2019). `eps` null: 2^-23. @throws ShapeError
 */
export function rmsNorm(
  x: Tensor,
  normalizedShape: number | Shape,
  weight?: Tensor | null,
  eps: number | null = null,
): Tensor {
  const { shape, axes } = lastAxes("rmsNorm", x, normalizedShape);
  checkVectors("rmsNorm", shape, { weight });
  const like = toFloat(x);
  if (x.size === 0) return scaleAndShift(like.cast("float32"), weight, null, shape, like);
  const wide = like.cast("float32");
  const inverse = wide.square().mean(axes, { keepDim: true }).add(eps ?? EPSILON).rsqrt(); // prettier-ignore
  return scaleAndShift(wide.mul(inverse), weight, null, shape, like);
}
