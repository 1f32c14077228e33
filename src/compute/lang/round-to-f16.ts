/** Rounding to float16 in integer arithmetic, which is the same on every device: to nearest, ties to even. */
import { add, and, bitcast, f32, greaterEqual, less, multiply, or, select, shiftRight, u32, unary } from "./build.ts"; // prettier-ignore
import type { Expr } from "./kernel.ts";

const INFINITE = 0x7f800000;
/** 2^16: the first float32 that is too large for a float16. */
const TOO_LARGE = 0x47800000;
/** 2^-14: below it, float16s are 2^-24 apart. */
const SMALLEST_NORMAL = 0x38800000;

/** The f32 of the float16 next to `x`, an f32. */
export function roundToF16(x: Expr): Expr {
  const bits = bitcast("u32", x);
  const magnitude = and(bits, u32(0x7fffffff));
  const sign = and(bits, u32(0x80000000));
  const even = and(shiftRight(magnitude, u32(13)), u32(1));
  const rounded = and(add(add(magnitude, u32(0xfff)), even), u32(0xffffe000));
  const finite = select(greaterEqual(rounded, u32(TOO_LARGE)), u32(INFINITE), rounded);
  const steps = unary("round", multiply(unary("abs", x), f32(2 ** 24)));
  const small = bitcast("u32", multiply(steps, f32(2 ** -24)));
  const number = select(less(magnitude, u32(SMALLEST_NORMAL)), small, finite);
  const isNaN = less(u32(INFINITE), magnitude);
  return bitcast("f32", or(select(isNaN, magnitude, number), sign));
}
