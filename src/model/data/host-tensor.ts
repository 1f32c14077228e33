/** A tensor's worth of host values that knows its dtype: what files are read into and batches are made of. */
import { OptionError, ShapeError } from "../../base/errors.ts";
import type { DType } from "../../compute/layout/dtype.ts";
import { elementCount, formatShape } from "../../compute/layout/shape.ts";
import type { HostArray } from "../../compute/runtime/runtime.ts";
import type { HostValues } from "../../compute/tensor/host-values.ts";

/** Row-major. Values of bool are 0 or 1 in a Uint32Array, those of float16 are in a Float32Array. */
export interface HostTensor extends HostValues {
  readonly dtype: DType;
}

/** An array of zeros for `length` values of `dtype`. */
export function valuesArray(dtype: DType, length: number): HostArray {
  switch (dtype) {
    case "float32":
    case "float16":
      return new Float32Array(length);
    case "int32":
      return new Int32Array(length);
    case "uint32":
    case "bool":
      return new Uint32Array(length);
  }
}

/** The dtype of host values; what a typed array alone cannot say is in their own `dtype`. */
export function dtypeOfValues(values: HostValues & { readonly dtype?: DType }): DType {
  if (values.dtype !== undefined) return values.dtype;
  if (values.data instanceof Float32Array) return "float32";
  return values.data instanceof Int32Array ? "int32" : "uint32";
}

/** True for `{ shape, data }` with a typed array of host values. */
export function isHostValues(value: unknown): value is HostValues & { readonly dtype?: DType } {
  if (typeof value !== "object" || value === null) return false;
  const { shape, data } = value as Partial<HostValues>;
  const isArray = data instanceof Float32Array || data instanceof Int32Array || data instanceof Uint32Array;
  return isArray && Array.isArray(shape);
}

/** @throws ShapeError unless data and shape agree; OptionError for a dtype that its array cannot hold */
export function checkHostTensor(operation: string, values: HostValues & { readonly dtype?: DType }): void {
  const { shape, data } = values;
  const isShape = shape.every((size) => Number.isInteger(size) && size >= 0);
  if (!isShape || elementCount(shape) !== data.length) {
    throw new ShapeError(`${operation}: expected values for the shape ${formatShape(shape)}, found ${data.length}`);
  }
  const dtype = dtypeOfValues(values);
  const fits =
    dtype === "int32"
      ? data instanceof Int32Array
      : dtype === "float32" || dtype === "float16"
        ? data instanceof Float32Array
        : data instanceof Uint32Array;
  if (!fits) throw new OptionError(`${operation}: expected an array for ${dtype}, found ${data.constructor.name}`);
}
