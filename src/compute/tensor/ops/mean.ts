import { toFloat } from "../operands.ts";
import { normalizeAxes, sizeOf } from "../shapes.ts";
import type { Tensor } from "../tensor.ts";
import { sum } from "./sum.ts";
import type { Axes, ReduceOptions } from "./sum.ts";

/** The mean over `axes`, in float32. dL/dx = g / n, repeated. */
export function mean(x: Tensor, axes: Axes = null, options: ReduceOptions = {}): Tensor {
  const list = normalizeAxes("mean", axes, x.shape.length);
  const count = list.reduce((product, axis) => product * sizeOf(x.shape, axis), 1);
  return sum(toFloat(x), list, options).mul(1 / count);
}
