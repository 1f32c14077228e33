import { UnsupportedError } from "../../../base/errors.ts";
import { isFloat } from "../../layout/dtype.ts";
import { normalizeAxes, sizeOf } from "../shapes.ts";
import type { Tensor } from "../tensor.ts";
import { sum, toDType } from "./sum.ts";
import type { Axes, SumOptions } from "./sum.ts";

/** The mean over `axes`. dL/dx = g / n, repeated. @throws UnsupportedError for integers without a `dtype` */
export function mean(x: Tensor, axes: Axes = null, { dtype, ...options }: SumOptions = {}): Tensor {
  const values = toDType(x, dtype);
  if (!isFloat(values.dtype)) throw new UnsupportedError(`mean: expected floats, found ${values.dtype}`);
  const list = normalizeAxes("mean", axes, x.shape.length);
  const count = list.reduce((product, axis) => product * sizeOf(x.shape, axis), 1);
  return sum(values, list, options).mul(1 / count);
}
