/** Tensors from the host's values, and from none. */
import type { Shape } from "../compiler/ir.ts";
import type { HostArray } from "../runtime/runtime.ts";
import { hostTensor, type TensorOptions } from "./host-tensor.ts";
import type { HostValues, NestedValues } from "./host-values.ts";
import { filled } from "./operands.ts";
import { checkShape } from "./shapes.ts";
import { Tensor } from "./tensor.ts";

/**
 * A tensor of host values: nested arrays (of numbers: float32; of booleans: bool), or a typed array with one axis,
 * or one with a shape. Float64Array becomes float32, arrays of 8 and 16 bits int32. @throws ShapeError, OptionError
 */
export function tensor(values: NestedValues | HostArray | HostValues, options: TensorOptions = {}): Tensor {
  return hostTensor(values, options);
}

/** A tensor as it is (cast, if `dtype` asks for it), or one of host values. @throws ShapeError, OptionError */
export function asTensor(
  values: Tensor | NestedValues | HostArray | HostValues,
  { dtype }: Pick<TensorOptions, "dtype"> = {},
): Tensor {
  if (values instanceof Tensor) return dtype === undefined ? values : values.cast(dtype);
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
