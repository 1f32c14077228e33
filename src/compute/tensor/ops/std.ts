import type { Tensor } from "../tensor.ts";
import type { Axes } from "./sum.ts";
import { variance } from "./variance.ts";
import type { VarianceOptions } from "./variance.ts";
import { where } from "./where.ts";

/** sqrt(variance) over `axes`, with `correction` 1 by default. Its gradient is 0 where it is 0. */
export function std(x: Tensor, axes: Axes = null, options: VarianceOptions = {}): Tensor {
  const squared = variance(x, axes, options);
  const isZero = squared.eq(0);
  return where(isZero, 0, where(isZero, 1, squared).sqrt());
}

/** [std, mean] over `axes`. */
export function stdMean(x: Tensor, axes: Axes = null, options: VarianceOptions = {}): [Tensor, Tensor] {
  return [std(x, axes, options), x.mean(axes, keeping(options))];
}

/** [variance, mean] over `axes`. */
export function varMean(x: Tensor, axes: Axes = null, options: VarianceOptions = {}): [Tensor, Tensor] {
  return [variance(x, axes, options), x.mean(axes, keeping(options))];
}

function keeping({ keepDim = false }: VarianceOptions): { keepDim: boolean } {
  return { keepDim };
}
