/** Tensors from the host's values, and from none. */
import type { Shape } from "../compiler/ir.ts";
import type { DType } from "../layout/dtype.ts";
import type { HostArray } from "../runtime/runtime.ts";
import { checkHostArray, dtypeOfArray, flattenValues, hostArray, hostArrayOf } from "./host-values.ts";
import type { HostValues, NestedValues } from "./host-values.ts";
import { noteLeaf } from "./live-tensors.ts";
import { filled } from "./operands.ts";
import { currentRuntime } from "./runtime-scope.ts";
import { checkShape } from "./shapes.ts";
import type { Tensor } from "./tensor.ts";
import { currentTrace } from "./trace.ts";
import { createValue, isTensor, ownLeaf, tensorOf } from "./value.ts";
import type { Value } from "./value.ts";
import { noteHostIntegers } from "./index-range.ts";

/** Of tensors that are made. */
export interface TensorOptions {
  readonly dtype?: DType;
  readonly requiresGrad?: boolean;
}

/**
 * A tensor of host values: nested arrays (of numbers: float32; of booleans: bool), or a typed array with one axis,
 * or one with a shape. Float64Array becomes float32, arrays of 8 and 16 bits int32. @throws ShapeError, OptionError
 */
export function tensor(values: NestedValues | HostArray | HostValues, options: TensorOptions = {}): Tensor {
  const { shape, data, dtype } = hostValuesOf(values, options.dtype);
  const out = tensorOf(leafValue(shape, dtype, data));
  if (options.requiresGrad === true) out.requiresGrad = true;
  return out;
}

/** A value with bytes of its own on the current runtime; zeros without `data`. */
export function leafValue(shape: Shape, dtype: DType, data?: HostArray): Value {
  checkShape("tensor", shape);
  if (data !== undefined) checkHostArray("tensor", data, shape, dtype);
  const runtime = currentRuntime("tensor");
  const value = createValue(runtime.leaf(shape, dtype, data), { runtime, trace: currentTrace() });
  ownLeaf(value.node, value);
  if (value.trace === null) noteLeaf(value.node, runtime);
  if (data !== undefined) noteHostIntegers(value, data);
  return value;
}

function hostValuesOf(
  values: NestedValues | HostArray | HostValues,
  asked?: DType,
): { shape: Shape; data: HostArray; dtype: DType } {
  if (ArrayBuffer.isView(values)) {
    const data = hostArrayOf(values);
    const dtype = asked ?? dtypeOfArray(data);
    return { shape: [data.length], data: converted(data, dtype), dtype };
  }
  if (typeof values === "object" && values !== null && "data" in values) {
    const data = hostArrayOf(values.data);
    const dtype = asked ?? dtypeOfArray(data);
    return { shape: values.shape, data: converted(data, dtype), dtype };
  }
  const { shape, flat, dtype } = flattenValues(values);
  const to = asked ?? dtype;
  return { shape, data: converted(flat, to), dtype: to };
}

function converted(values: HostArray | readonly number[], dtype: DType): HostArray {
  if (!Array.isArray(values) && dtypeOfArray(values as HostArray) === dtype) return values as HostArray;
  const out = hostArray(dtype, values.length);
  for (let i = 0; i < out.length; i++) out[i] = dtype === "bool" ? Number(values[i] !== 0) : (values[i] ?? 0);
  return out;
}

/** A tensor as it is (cast, if `dtype` asks for it), or one of host values. @throws ShapeError, OptionError */
export function asTensor(
  values: Tensor | NestedValues | HostArray | HostValues,
  { dtype }: Pick<TensorOptions, "dtype"> = {},
): Tensor {
  if (isTensor(values)) return dtype === undefined ? values : values.cast(dtype);
  return tensor(values, dtype === undefined ? {} : { dtype });
}

/**
 * `value` everywhere: float32 unless `dtype` says otherwise, bool for a boolean. No bytes are stored until it is
 * assigned or realized. @throws OptionError
 */
export function full(shape: Shape, value: number | boolean, options: TensorOptions = {}): Tensor {
  checkShape("full", shape);
  const dtype = options.dtype ?? (typeof value === "boolean" ? "bool" : "float32");
  const out = filled(shape, Number(value), dtype);
  if (options.requiresGrad === true) out.requiresGrad = true;
  return out;
}

/** 0 everywhere. */
export function zeros(shape: Shape, options: TensorOptions = {}): Tensor {
  return full(shape, 0, options);
}

/** 1 everywhere. */
export function ones(shape: Shape, options: TensorOptions = {}): Tensor {
  return full(shape, 1, options);
}

/** `value` in the shape and dtype of `like`, unless `dtype` says otherwise. */
export function fullLike(like: Tensor, value: number | boolean, options: TensorOptions = {}): Tensor {
  return full(like.shape, value, { ...options, dtype: options.dtype ?? like.dtype });
}

/** 0 in the shape and dtype of `like`, unless `dtype` says otherwise. */
export function zerosLike(like: Tensor, options: TensorOptions = {}): Tensor {
  return fullLike(like, 0, options);
}

/** 1 in the shape and dtype of `like`, unless `dtype` says otherwise. */
export function onesLike(like: Tensor, options: TensorOptions = {}): Tensor {
  return fullLike(like, 1, options);
}
