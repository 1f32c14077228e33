/** Which dtype an operation on two has: bool gives way to integers, integers to float32 (as in PyTorch). */
import { UnsupportedError } from "../../base/errors.ts";
import type { DType } from "../layout/dtype.ts";

const RANK: Readonly<Record<DType, number>> = { bool: 0, int32: 1, uint32: 1, float32: 2 };

/** @throws UnsupportedError for int32 with uint32, which have no common dtype of 32 bits */
export function promote(operation: string, a: DType, b: DType): DType {
  if (a === b) return a;
  if (RANK[a] === RANK[b]) throw new UnsupportedError(`${operation}: expected one dtype, found ${a} and ${b}`);
  return RANK[a] > RANK[b] ? a : b;
}

/** The dtype of a tensor of `dtype` with a plain number: a fraction makes float32 of integers. */
export function promoteNumber(dtype: DType, value: number): DType {
  if (dtype === "float32" || !Number.isInteger(value)) return "float32";
  return dtype === "bool" ? "int32" : dtype;
}
