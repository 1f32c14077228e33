/** Tensors from the host's values, and from none. */
import { OptionError } from "../../base/errors.ts";
import type { Random } from "../../base/random.ts";
import type { Shape } from "../compiler/ir.ts";
import type { DType } from "../layout/dtype.ts";
import type { HostArray } from "../runtime/runtime.ts";
import { checkHostArray, dtypeOfArray, flattenValues, hostArray } from "./host-values.ts";
import type { HostValues, NestedValues } from "./host-values.ts";
import { filled } from "./operands.ts";
import { currentRuntime } from "./runtime-scope.ts";
import { elementCount } from "../layout/shape.ts";
import { checkShape } from "./shapes.ts";
import { iotaTensor } from "./source.ts";
import { Tensor } from "./tensor.ts";
import { currentTrace } from "./trace.ts";
import { createValue, ownLeaf } from "./value.ts";
import type { Value } from "./value.ts";

export interface TensorOptions {
  readonly dtype?: DType;
  readonly requiresGrad?: boolean;
}

/**
 * A tensor of host values: nested arrays (of numbers: float32; of booleans: bool), or a typed array with one axis,
 * or one with a shape. @throws ShapeError, OptionError
 */
export function tensor(values: NestedValues | HostArray | HostValues, options: TensorOptions = {}): Tensor {
  const { shape, data, dtype } = hostValuesOf(values, options.dtype);
  const out = new Tensor(leafValue(shape, dtype, data));
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
  return value;
}

function hostValuesOf(
  values: NestedValues | HostArray | HostValues,
  asked?: DType,
): { shape: Shape; data: HostArray; dtype: DType } {
  if (ArrayBuffer.isView(values)) {
    const dtype = asked ?? dtypeOfArray(values);
    return { shape: [values.length], data: converted(values, dtype), dtype };
  }
  if (typeof values === "object" && "data" in values) {
    const dtype = asked ?? dtypeOfArray(values.data);
    return { shape: values.shape, data: converted(values.data, dtype), dtype };
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

/** `value` everywhere. No bytes are stored until it is assigned or realized. */
export function full(shape: Shape, value: number, options: TensorOptions = {}): Tensor {
  checkShape("full", shape);
  const out = filled(shape, value, options.dtype ?? "float32");
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

/** start, start + step, ... below `stop` (int32 unless a fraction is given); `arange(n)` counts from 0. @throws OptionError */
export function arange(start: number, stop?: number, step = 1, options: TensorOptions = {}): Tensor {
  const [from, to] = stop === undefined ? [0, start] : [start, stop];
  const count = Math.ceil((to - from) / step);
  if (!(count >= 1))
    throw new OptionError(`arange: expected a range that is not empty, found ${from} to ${to} by ${step}`);
  const dtype = options.dtype ?? ([from, to, step].every(Number.isInteger) ? "int32" : "float32");
  return iotaTensor([count], 0).cast(dtype).mul(step).add(from);
}

/** Independent standard normal numbers, drawn on the host: the same bits for the same `random`. */
export function randn(shape: Shape, random: Random, options: Omit<TensorOptions, "dtype"> = {}): Tensor {
  return drawn(shape, () => random.normal(), options);
}

/** Independent uniform numbers in [0, 1), drawn on the host: the same bits for the same `random`. */
export function rand(shape: Shape, random: Random, options: Omit<TensorOptions, "dtype"> = {}): Tensor {
  return drawn(shape, () => random.uniform(), options);
}

/** Independent whole numbers in [low, high) (int32), drawn on the host. */
export function randint(low: number, high: number, shape: Shape, random: Random): Tensor {
  const data = Int32Array.from({ length: elementCount(shape) }, () => low + random.below(high - low));
  return tensor({ shape, data });
}

function drawn(shape: Shape, draw: () => number, options: TensorOptions): Tensor {
  checkShape("rand", shape);
  const data = Float32Array.from({ length: elementCount(shape) }, draw);
  return tensor({ shape, data }, options);
}
