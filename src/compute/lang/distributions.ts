/** Normal and exponential numbers as kernel code: the algorithms of `base/fixed-point.ts`, the same bits on every device. */
import { exponentialParts, normalParts } from "../../base/fixed-point.ts";
import type { FloatParts, Words } from "../../base/fixed-point.ts";
import { add, bitcast, cast, less, multiply, multiplyHigh, or, select, shiftLeft, shiftRight, subtract, u32 } from "./build.ts"; // prettier-ignore
import type { Expr } from "./kernel.ts";

const kernelWords: Words<Expr> = {
  word: (value) => u32(value),
  add,
  subtract,
  or,
  multiplyHigh,
  shiftLeft,
  shiftRight,
  ifLess: (a, b, yes, no) => select(less(a, b), yes, no),
};

/** Exact: a whole number of 24 bits times a power of two. */
function floatOf({ mantissa, exponent, sign }: FloatParts<Expr>): Expr {
  const power = bitcast("f32", or(sign, shiftLeft(exponent, u32(23))));
  return multiply(cast("f32", mantissa), power);
}

/** A standard normal f32 of two u32 words. */
export function normal(first: Expr, second: Expr): Expr {
  return floatOf(normalParts(kernelWords, first, second));
}

/** A standard exponential f32 of a u32 word. */
export function exponential(first: Expr): Expr {
  return floatOf(exponentialParts(kernelWords, first));
}
