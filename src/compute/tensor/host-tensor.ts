/** Tensors of the host's values, as ops make them. */
import type { Shape } from "../compiler/ir.ts";
import type { DType } from "../layout/dtype.ts";
import type { HostArray } from "../runtime/runtime.ts";
import { checkHostArray, dtypeOfArray, flattenValues, hostArray, hostArrayOf } from "./host-values.ts";
import type { HostValues, NestedValues } from "./host-values.ts";
import { noteHostIntegers } from "./index-range.ts";
import { noteLeaf } from "./live-tensors.ts";
import { currentRuntime } from "./runtime-scope.ts";
import { checkShape } from "./shapes.ts";
import type { Tensor } from "./tensor.ts";
import { currentTrace } from "./trace.ts";
import { createValue, ownLeaf, tensorOf } from "./value.ts";
import type { Value } from "./value.ts";

/** Of tensors that are made. */
export interface TensorOptions {
  readonly dtype?: DType;
  readonly requiresGrad?: boolean;
}

/** As `tensor` of create.ts, for ops: it knows the class of tensors only by what makes them. @throws ShapeError, OptionError */
export function hostTensor(values: NestedValues | HostArray | HostValues, options: TensorOptions = {}): Tensor {
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
