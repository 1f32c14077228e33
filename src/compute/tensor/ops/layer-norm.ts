import { ShapeError } from "../../../base/errors.ts";
import type { Shape } from "../../compiler/ir.ts";
import { formatShape, sameShape } from "../../layout/shape.ts";
import { toFloat } from "../operands.ts";
import type { Tensor } from "../tensor.ts";
import { checkVectors, scaleAndShift, standardize } from "./standardize.ts";

/** The last axes of `x` that `normalizedShape` names. @throws ShapeError when they are not the last ones */
export function lastAxes(
  operation: string,
  x: Tensor,
  normalizedShape: number | Shape,
): { shape: Shape; axes: number[] } {
  const shape = typeof normalizedShape === "number" ? [normalizedShape] : normalizedShape;
  const first = x.shape.length - shape.length;
  if (shape.length === 0 || first < 0 || !sameShape(x.shape.slice(first), shape)) {
    throw new ShapeError(`${operation}: expected [.., ${shape.join(", ")}], found ${formatShape(x.shape)}`);
  }
  return { shape, axes: shape.map((_, axis) => first + axis) };
}

/**
 * Normalises the last axes, of `normalizedShape`, to mean 0 and variance 1, then scales by `weight` and shifts by
 * `bias`, both of `normalizedShape`: y = (x - mean) / sqrt(variance + eps) * w + b, in float32 (Ba et al., 2016).
 * @throws ShapeError
 */
export function layerNorm(
  x: Tensor,
  normalizedShape: number | Shape,
  weight?: Tensor | null,
  bias?: Tensor | null,
  eps = 1e-5,
): Tensor {
  const { shape, axes } = lastAxes("layerNorm", x, normalizedShape);
  checkVectors("layerNorm", shape, { weight, bias });
  return scaleAndShift(standardize(x.cast("float32"), axes, eps), weight, bias, shape, toFloat(x));
}
