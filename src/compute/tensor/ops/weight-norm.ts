import { toFloat } from "../operands.ts";
import { normalizeAxis } from "../shapes.ts";
import type { Tensor } from "../tensor.ts";
import { normalize } from "./normalize.ts";

/**
 * w = g * v / |v|, the norm over all axes but `axis` (null: over all): direction and length of a weight apart (Salimans
 * and Kingma, 2016). `g` has the shape of v with size 1 on the axes of the norm. @throws ShapeError, OptionError
 */
export function weightNorm(v: Tensor, g: Tensor, axis: number | null = 0): Tensor {
  return normalize(v, 2, weightNormAxes(v, axis)).mul(toFloat(g));
}

/** The axes that the norm of `weightNorm` is over. @throws OptionError */
export function weightNormAxes(v: Tensor, axis: number | null): number[] {
  const kept = axis === null ? -1 : normalizeAxis("weightNorm", axis, v.shape.length);
  return v.shape.flatMap((_, i) => (i === kept ? [] : [i]));
}
