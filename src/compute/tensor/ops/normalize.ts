import { OptionError } from "../../../base/errors.ts";
import { toFloat } from "../operands.ts";
import { normalizeAxes } from "../shapes.ts";
import type { Tensor } from "../tensor.ts";
import type { Axes } from "./sum.ts";

const POWER_MIN = 1e-37; // Next to the smallest normal float32: smaller ones may count as 0.

/**
 * x / max(|x|_p, eps), the p-norm along `axis` (one or several): vectors of length 1. Shorter ones than `eps` are
 * divided by it. Computed in float32. @throws OptionError
 */
export function normalize(x: Tensor, p = 2, axis: Axes = 1, eps = 1e-12): Tensor {
  if (!(p > 0)) throw new OptionError(`normalize: expected p above 0, found ${p}`);
  const axes = normalizeAxes("normalize", axis, x.shape.length);
  const wide = x.cast("float32");
  return (x.size === 0 ? wide : wide.div(lengthOver(wide, p, axes, eps))).cast(toFloat(x).dtype);
}

/** max(|x|_p, eps): what is small is raised before the root, whose slope at 0 is infinite. */
function lengthOver(x: Tensor, p: number, axes: readonly number[], eps: number): Tensor {
  const keepDim = true;
  if (p === Number.POSITIVE_INFINITY) return x.abs().max(axes, { keepDim }).clamp({ min: eps });
  if (p === 1) return x.abs().sum(axes, { keepDim }).clamp({ min: eps });
  if (p === 2) return x.square().sum(axes, { keepDim }).clamp({ min: Math.max(eps ** 2, POWER_MIN) }).sqrt(); // prettier-ignore
  // A zero's own share of the sum is 0 and has no slope: another base keeps its logarithm finite.
  const isZero = x.eq(0);
  const powers = isZero.where(0, isZero.where(1, x.abs()).pow(p));
  return powers.sum(axes, { keepDim }).clamp({ min: Math.max(eps ** p, POWER_MIN) }).pow(1 / p).clamp({ min: eps }); // prettier-ignore
}
