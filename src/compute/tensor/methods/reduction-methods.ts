/** The methods of tensors that sum up elements in other ways than `sum` and `mean`. Each is the op of its name. Negative axes count from the end. */
import { MathMethods } from "./math-methods.ts";
import type { Tensor } from "../tensor.ts";
import { amax, amin, aminmax } from "../ops/amax.ts";
import { all, any, countNonzero } from "../ops/any.ts";
import { cummax, cummin } from "../ops/cummax.ts";
import type { Extremes } from "../ops/cummax.ts";
import { cumprod } from "../ops/cumprod.ts";
import { logCumSumExp } from "../ops/log-cum-sum-exp.ts";
import { nanMean, nanSum } from "../ops/nan-sum.ts";
import { norm } from "../ops/norm.ts";
import { prod } from "../ops/prod.ts";
import { std, stdMean, varMean } from "../ops/std.ts";
import type { Axes, DTypeOption, ReduceOptions, SumOptions } from "../ops/sum.ts";
import type { VarianceOptions } from "../ops/variance.ts";

export abstract class ReductionMethods extends MathMethods {
  /** Some element is not 0 (bool). */
  any(this: Tensor, axes?: Axes, options?: ReduceOptions): Tensor {
    return any(this, axes, options);
  }
  /** No element is 0 (bool). */
  all(this: Tensor, axes?: Axes, options?: ReduceOptions): Tensor {
    return all(this, axes, options);
  }
  /** How many elements are not 0 (int32). */
  countNonzero(this: Tensor, axes?: Axes): Tensor {
    return countNonzero(this, axes);
  }
  /** The product; its gradient is right where elements are 0. */
  prod(this: Tensor, axes?: Axes, options?: SumOptions): Tensor {
    return prod(this, axes, options);
  }
  /** The sum of what is not NaN. */
  nanSum(this: Tensor, axes?: Axes, options?: SumOptions): Tensor {
    return nanSum(this, axes, options);
  }
  /** The mean of what is not NaN. */
  nanMean(this: Tensor, axes?: Axes, options?: SumOptions): Tensor {
    return nanMean(this, axes, options);
  }
  /** (sum of |x|^p)^(1/p), of p = 2 by default; also Infinity, -Infinity and 0. */
  norm(this: Tensor, p?: number | "fro", axes?: Axes, options?: ReduceOptions): Tensor {
    return norm(this, p, axes, options);
  }
  /** The standard deviation, with `correction` 1 by default. */
  std(this: Tensor, axes?: Axes, options?: VarianceOptions): Tensor {
    return std(this, axes, options);
  }
  /** [std, mean] */
  stdMean(this: Tensor, axes?: Axes, options?: VarianceOptions): [Tensor, Tensor] {
    return stdMean(this, axes, options);
  }
  /** [var, mean] */
  varMean(this: Tensor, axes?: Axes, options?: VarianceOptions): [Tensor, Tensor] {
    return varMean(this, axes, options);
  }
  /** The largest element; equal ones share the gradient. */
  amax(this: Tensor, axes?: Axes, options?: ReduceOptions): Tensor {
    return amax(this, axes, options);
  }
  /** The smallest element; equal ones share the gradient. */
  amin(this: Tensor, axes?: Axes, options?: ReduceOptions): Tensor {
    return amin(this, axes, options);
  }
  /** `amin` and `amax`. */
  aminmax(this: Tensor, axes?: Axes, options?: ReduceOptions): { min: Tensor; max: Tensor } {
    return aminmax(this, axes, options);
  }
  /** The running product along `axis`. */
  cumprod(this: Tensor, axis: number, options?: DTypeOption): Tensor {
    return cumprod(this, axis, options);
  }
  /** The largest element so far along `axis`, and where it is (int32, the last of equals). */
  cummax(this: Tensor, axis: number): Extremes {
    return cummax(this, axis);
  }
  /** The smallest element so far along `axis`, and where it is (int32, the last of equals). */
  cummin(this: Tensor, axis: number): Extremes {
    return cummin(this, axis);
  }
  /** The logarithm of the running sum of e^x along `axis`. */
  logCumSumExp(this: Tensor, axis: number): Tensor {
    return logCumSumExp(this, axis);
  }
}
