import type { Tensor } from "../tensor.ts";
import { isNaN } from "./is-finite.ts";
import type { Axes, SumOptions } from "./sum.ts";
import { where } from "./where.ts";

/** The sum over `axes` of what is not NaN. */
export function nanSum(x: Tensor, axes: Axes = null, options: SumOptions = {}): Tensor {
  return where(isNaN(x), 0, x).sum(axes, options);
}

/** The mean over `axes` of what is not NaN. */
export function nanMean(x: Tensor, axes: Axes = null, options: SumOptions = {}): Tensor {
  const count = isNaN(x)
    .logicalNot()
    .sum(axes, { keepDim: options.keepDim ?? false });
  return nanSum(x, axes, options).div(count.cast(options.dtype ?? x.dtype));
}
