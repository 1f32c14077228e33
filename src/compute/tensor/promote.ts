/**
 * Which dtype an operation on two has, by PyTorch's rules: the later of bool, integers, float16, float32. A plain
 * number takes the tensor's dtype unless it is of a later kind: a fraction makes float32 of integers.
 *
 * |         | bool    | int32   | uint32  | float16 | float32 | whole number | fraction |
 * |---------|---------|---------|---------|---------|---------|--------------|----------|
 * | bool    | bool    | int32   | uint32  | float16 | float32 | int32        | float32  |
 * | int32   | int32   | int32   | int32   | float16 | float32 | int32        | float32  |
 * | uint32  | uint32  | int32   | uint32  | float16 | float32 | uint32       | float32  |
 * | float16 | float16 | float16 | float16 | float16 | float32 | float16      | float16  |
 * | float32 | float32 | float32 | float32 | float32 | float32 | float32      | float32  |
 *
 * int32 with uint32 has no common dtype of 32 bits (PyTorch takes int64): int32 keeps the sign and wraps beyond 2^31.
 */
import { isFloat, type DType } from "../layout/dtype.ts";

const RANK: Readonly<Record<DType, number>> = { bool: 0, uint32: 1, int32: 2, float16: 3, float32: 4 };

/** The dtype of an operation on tensors of `a` and `b`. */
export function promote(a: DType, b: DType): DType {
  return RANK[a] > RANK[b] ? a : b;
}

/** The dtype of a tensor of `dtype` with a plain number. */
export function promoteNumber(dtype: DType, value: number): DType {
  if (isFloat(dtype)) return dtype;
  if (!Number.isInteger(value)) return "float32";
  return dtype === "bool" ? "int32" : dtype;
}
