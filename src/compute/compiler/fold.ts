/** Arithmetic that is done while a graph is built: on constants. */
import { OptionError } from "../../base/errors.ts";
import { roundToFloat16 } from "../../base/float16.ts";
import type { ScalarType } from "../lang/kernel.ts";
import { foldBinary, foldBitcast, foldCast, foldUnary, wrap } from "../lang/scalar-functions.ts";
import { isFloat, type DType } from "../layout/dtype.ts";
import type { BinaryFunction, Node, ReduceFunction, UnaryFunction } from "./ir.ts";

/** The type of a value of `dtype` inside a kernel. */
export function scalarTypeOf(dtype: DType): ScalarType {
  switch (dtype) {
    case "float32":
    case "float16":
      return "f32";
    case "int32":
      return "i32";
    case "uint32":
      return "u32";
    case "bool":
      return "bool";
  }
}

/** The value of a constant node; undefined for any other. */
export function constantValue(node: Node): number | undefined {
  return node.primitive.kind === "constant" ? node.primitive.value : undefined;
}

/** `value` as `dtype` holds it: float32 is rounded. @throws OptionError for what it cannot hold */
export function storedValue(value: number, dtype: DType): number {
  if (dtype === "float16") return roundToFloat16(value);
  const type = scalarTypeOf(dtype);
  const stored = type === "bool" ? Number(value !== 0) : wrap(type, value);
  if (dtype !== "float32" && stored !== value) {
    throw new OptionError(`constant: expected a value of ${dtype}, found ${value}`);
  }
  return stored;
}

/** fn(x) of a constant. */
export function foldedUnary(fn: UnaryFunction, x: number, dtype: DType): number {
  return Number(foldUnary(fn, scalarTypeOf(dtype), scalarValue(x, dtype)));
}

/** fn(a, b) of constants. */
export function foldedBinary(fn: BinaryFunction, a: number, b: number, dtype: DType): number {
  return Number(foldBinary(fn, scalarTypeOf(dtype), scalarValue(a, dtype), scalarValue(b, dtype)));
}

/** A constant converted. */
export function foldedCast(x: number, from: DType, to: DType): number {
  if (to === "float16") return roundToFloat16(Number(x));
  return Number(foldCast(scalarTypeOf(to), scalarTypeOf(from), scalarValue(x, from)));
}

/** A constant whose bits are taken for another dtype. */
export function foldedBitcast(x: number, from: DType, to: DType): number {
  return foldBitcast(scalarTypeOf(to), scalarTypeOf(from), x);
}

function scalarValue(x: number, dtype: DType): number | boolean {
  return dtype === "bool" ? x !== 0 : x;
}

/** What `fn` over no elements is: combined with any value, it gives that value. */
export function reduceIdentity(fn: ReduceFunction, dtype: DType): number {
  switch (fn) {
    case "sum":
      return 0;
    case "product":
      return 1;
    case "maximum":
      return isFloat(dtype) ? -Infinity : dtype === "int32" ? -(2 ** 31) : 0;
    case "minimum":
      return isFloat(dtype) ? Infinity : dtype === "int32" ? 2 ** 31 - 1 : 2 ** 32 - 1;
  }
}
