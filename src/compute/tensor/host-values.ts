/** Values on the host: nested arrays and typed arrays in, typed arrays out. */
import { OptionError, ShapeError } from "../../base/errors.ts";
import { decodeFloat16 } from "../../base/float16.ts";
import type { Bytes } from "../../base/bytes.ts";
import type { Shape } from "../compiler/ir.ts";
import type { DType } from "../layout/dtype.ts";
import type { HostArray } from "../runtime/runtime.ts";
import { elementCount, formatShape } from "../layout/shape.ts";

/** Numbers or booleans, nested as deep as the tensor has axes. */
export type NestedValues = number | boolean | readonly NestedValues[];

/** A tensor's worth of host values. */
export interface HostValues {
  readonly shape: Shape;
  readonly data: HostArray;
}

/** The dtype whose values an array of this type holds. */
export function dtypeOfArray(data: HostArray): DType {
  if (data instanceof Float32Array) return "float32";
  return data instanceof Int32Array ? "int32" : "uint32";
}

/** Host values, and what they are to be: the dtype that arrays of their type hold, unless it says otherwise. */
export interface TypedHostValues extends HostValues {
  /** bool for a Uint32Array of 0 and 1, float16 for a Float32Array, say. */
  readonly dtype?: DType;
}

/** `view` in one of our array types. @throws OptionError for those with 64-bit integers, and for what is no array */
export function hostArrayOf(view: unknown): HostArray {
  if (view instanceof Float32Array || view instanceof Int32Array || view instanceof Uint32Array) {
    return view as HostArray;
  }
  if (view instanceof Float64Array) return Float32Array.from(view);
  if (view instanceof Int8Array || view instanceof Int16Array) return Int32Array.from(view);
  if (view instanceof Uint8Array || view instanceof Uint8ClampedArray || view instanceof Uint16Array) {
    return Int32Array.from(view);
  }
  throw notNumbers(view);
}

/** The dtype of the array that holds values of `dtype` on the host: float32 for float16, uint32 for bool. */
export function hostDTypeOf(dtype: DType): DType {
  return dtype === "bool" ? "uint32" : dtype === "float16" ? "float32" : dtype;
}

/** An array of `length` for values of `dtype`. */
export function hostArray(dtype: DType, length: number): HostArray {
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

/** `count` values of `dtype` that `bytes` hold, without a copy when they are aligned 32-bit ones. */
export function valuesOf(bytes: Bytes, dtype: DType, count: number): HostArray {
  const { buffer, byteOffset } = byteLengthAligned(bytes);
  switch (dtype) {
    case "float32":
      return new Float32Array(buffer, byteOffset, count);
    case "float16":
      return decodeFloat16(new Uint16Array(buffer, byteOffset, count));
    case "int32":
      return new Int32Array(buffer, byteOffset, count);
    case "uint32":
    case "bool":
      return new Uint32Array(buffer, byteOffset, count);
  }
}

function byteLengthAligned(bytes: Bytes): Bytes {
  return bytes.byteOffset % 4 === 0 ? bytes : bytes.slice();
}

/** Nested values, flattened. Their dtype is bool for booleans, float32 for numbers. @throws ShapeError */
export function flattenValues(values: NestedValues): { shape: number[]; flat: number[]; dtype: DType } {
  const shape: number[] = [];
  for (let level = values; Array.isArray(level); level = level[0] as NestedValues) {
    shape.push(level.length);
    if (level.length === 0) break;
  }
  const flat: number[] = [];
  let isBool = true;
  const visit = (value: NestedValues, axis: number): void => {
    if (typeof value === "number" || typeof value === "boolean") {
      if (axis !== shape.length) throw ragged(shape);
      if (typeof value === "number") isBool = false;
      flat.push(Number(value));
      return;
    }
    if (!Array.isArray(value)) throw notNumbers(value);
    if (value.length !== shape[axis]) throw ragged(shape);
    for (const inner of value) visit(inner, axis + 1);
  };
  visit(values, 0);
  return { shape, flat, dtype: isBool && flat.length > 0 ? "bool" : "float32" };
}

function notNumbers(value: unknown): OptionError {
  const found = typeof value === "object" && value !== null ? value.constructor.name : String(value);
  return new OptionError(`tensor: expected numbers, booleans, nested arrays or a typed array, found ${found}`);
}

function ragged(shape: Shape): ShapeError {
  return new ShapeError(`tensor: expected nested arrays of the shape ${formatShape(shape)}, found uneven ones`);
}

/** @throws ShapeError unless `data` has as many elements as `shape`; OptionError for data of another dtype */
export function checkHostArray(operation: string, data: HostArray, shape: Shape, dtype: DType): void {
  if (data.length !== elementCount(shape)) {
    throw new ShapeError(
      `${operation}: expected ${elementCount(shape)} values for the shape ${formatShape(shape)}, found ${data.length}`,
    );
  }
  const found = dtypeOfArray(data);
  if (found !== hostDTypeOf(dtype)) {
    throw new OptionError(`${operation}: expected values of ${dtype}, found ${found}`);
  }
}
