/**
 * The arithmetic of the kernel language on JavaScript numbers: what each operator means, to the bit for integers.
 *
 * Constant folding uses these, and the functions that the JavaScript printer emits calls to are among them; so a
 * folded constant and a computed value agree. Values: f32 as a number, i32 in [-2^31, 2^31), u32 in [0, 2^32).
 */
import { InvariantError } from "../../base/errors.ts";
import type { BinaryOp, ScalarType, UnaryOp } from "./kernel.ts";

/** The largest f32 below 2^31, and below 2^32: where conversions to integers saturate, as WGSL's do. */
const I32_CAST_MAX = 2147483520;
const U32_CAST_MAX = 4294967040;

const word = new DataView(new ArrayBuffer(4));

/** Rounds half to even, as WGSL and PyTorch. */
export function roundHalfEven(x: number): number {
  const low = Math.floor(x);
  const rest = x - low;
  if (rest < 0.5) return low;
  if (rest > 0.5) return low + 1;
  return low % 2 === 0 ? low : low + 1;
}

/** The upper 32 bits of the 64-bit product of two u32. */
export function multiplyHighU32(a: number, b: number): number {
  const aLow = a & 0xffff;
  const aHigh = a >>> 16;
  const bLow = b & 0xffff;
  const bHigh = b >>> 16;
  // No sum here exceeds 32 bits.
  const mid = (Math.imul(aHigh, bLow) + (Math.imul(aLow, bLow) >>> 16)) >>> 0;
  const mid2 = (Math.imul(aLow, bHigh) + (mid & 0xffff)) >>> 0;
  return (Math.imul(aHigh, bHigh) + (mid >>> 16) + (mid2 >>> 16)) >>> 0;
}

/** a / b toward zero; a for b = 0 and for the one overflow, as WGSL. */
export function divideI32(a: number, b: number): number {
  return b === 0 ? a : (a / b) | 0;
}

/** a - b * (a / b); 0 for b = 0. */
export function remainderI32(a: number, b: number): number {
  return b === 0 ? 0 : (a % b) | 0;
}

/** floor(a / b); a for b = 0. */
export function divideU32(a: number, b: number): number {
  return b === 0 ? a : Math.floor(a / b);
}

/** a - b * floor(a / b); 0 for b = 0. */
export function remainderU32(a: number, b: number): number {
  return b === 0 ? 0 : a % b;
}

/** f32 to i32: truncates, saturates; 0 for NaN. */
export function toI32(x: number): number {
  return x >= I32_CAST_MAX ? I32_CAST_MAX : x <= -2147483648 ? -2147483648 : x | 0;
}

/** f32 to u32: truncates, saturates; 0 for NaN. */
export function toU32(x: number): number {
  return x >= U32_CAST_MAX ? U32_CAST_MAX : x > 0 ? Math.floor(x) : 0;
}

/** The integer power modulo 2^32, by squaring. A negative exponent truncates 1 / a^|b| to an integer (0 for a = 0). */
export function powerI32(a: number, b: number): number {
  if (b < 0) return a === 1 ? 1 : a === -1 ? (b % 2 === 0 ? 1 : -1) : 0;
  return powerU32(a >>> 0, b) | 0;
}

/** a^b modulo 2^32, by squaring. */
export function powerU32(a: number, b: number): number {
  let out = 1;
  let square = a | 0;
  for (let rest = b >>> 0; rest !== 0; rest >>>= 1) {
    if (rest & 1) out = Math.imul(out, square);
    square = Math.imul(square, square);
  }
  return out >>> 0;
}

/** The bits of an f32. */
export function bitsOfF32(x: number): number {
  word.setFloat32(0, x);
  return word.getUint32(0);
}

/** The f32 with these bits. */
export function f32OfBits(bits: number): number {
  word.setUint32(0, bits);
  return word.getFloat32(0);
}

/** 2 / sqrt(pi) * (-1)^n / (n! (2n + 1)), for n = 0 to 9. */
export const ERF_SERIES: Readonly<Ten> = [
  1.12837917, -0.376126389, 0.112837917, -0.0268661706, 0.00522397763, -0.000854832702, 0.00012055333, -1.49256504e-5,
  1.64621144e-6, -1.63658447e-7,
];
/** Powers of 1 / (1 + x / 2) - 1 / 2, lowest first, of which the sum is exp(x^2) * erfc(x) to 3e-9 on 1 <= x <= 4. */
export const ERFC_FIT: Readonly<Seven> = [
  0.255395676, 0.854371979, 0.966632845, 0.631746591, 0.0597142139, -0.217960584, -0.0535406162,
];
type Seven = [number, number, number, number, number, number, number];
type Ten = [...Seven, number, number, number];
const [E0, E1, E2, E3, E4, E5, E6, E7, E8, E9] = ERF_SERIES;
const [C0, C1, C2, C3, C4, C5, C6] = ERFC_FIT;

/**
 * The error function, about 1e-7 absolute and, near 0, relative.
 *
 * |x| < 1: its Maclaurin series to x^19. Else 1 - exp(-x^2) * P(1 / (1 + x / 2) - 1 / 2), with P a Chebyshev fit of
 * exp(x^2) * erfc(x) on 1 <= x <= 4; beyond 4 it is 1 in f32.
 */
export function erf(x: number): number {
  const size = Math.abs(x);
  const square = x * x;
  if (size < 1) {
    const high = E5 + square * (E6 + square * (E7 + square * (E8 + square * E9)));
    return x * (E0 + square * (E1 + square * (E2 + square * (E3 + square * (E4 + square * high)))));
  }
  if (size >= 4) return Math.sign(x);
  const t = 1 / (1 + 0.5 * size) - 0.5;
  const fit = C0 + t * (C1 + t * (C2 + t * (C3 + t * (C4 + t * (C5 + t * C6)))));
  return Math.sign(x) * (1 - Math.exp(-square) * fit);
}

/** The value of `op` on a constant of `type`. */
export function foldUnary(op: UnaryOp, type: ScalarType, x: number | boolean): number | boolean {
  if (type === "bool") {
    if (op === "not") return !x;
    throw new InvariantError(`foldUnary: expected not for a bool, found ${op}`);
  }
  const v = Number(x);
  switch (op) {
    case "negate":
      return wrap(type, -v);
    case "not":
      return wrap(type, ~v);
    case "abs":
      return wrap(type, Math.abs(v));
    case "sign":
      return Math.sign(v);
    case "floor":
      return Math.floor(v);
    case "ceil":
      return Math.ceil(v);
    case "round":
      return roundHalfEven(v);
    case "trunc":
      return Math.trunc(v);
    case "exp":
    case "log":
    case "sqrt":
    case "sin":
    case "cos":
    case "tanh":
      return Math.fround(Math[op](v));
    case "erf":
      return Math.fround(erf(v));
  }
}

/** The value of `op` on two constants of `type`. */
export function foldBinary(op: BinaryOp, type: ScalarType, a: number | boolean, b: number | boolean): number | boolean {
  const x = Number(a);
  const y = Number(b);
  switch (op) {
    case "less":
      return x < y;
    case "lessEqual":
      return x <= y;
    case "equal":
      return x === y;
    case "notEqual":
      return x !== y;
    case "and":
      return bitwise(type, x & y);
    case "or":
      return bitwise(type, x | y);
    case "xor":
      return bitwise(type, x ^ y);
    case "shiftLeft":
      return wrap(type, x << y);
    case "shiftRight":
      return type === "u32" ? x >>> y : x >> y;
    case "multiplyHigh":
      return multiplyHighU32(x, y);
    default:
      return foldArithmetic(op, type, x, y);
  }
}

type Arithmetic = "add" | "subtract" | "multiply" | "divide" | "remainder" | "power" | "minimum" | "maximum";

function foldArithmetic(op: Arithmetic, type: ScalarType, x: number, y: number): number {
  switch (op) {
    case "add":
      return wrap(type, x + y);
    case "subtract":
      return wrap(type, x - y);
    case "multiply":
      return type === "f32" ? Math.fround(x * y) : wrap(type, Math.imul(x, y));
    case "divide":
      return type === "f32" ? Math.fround(x / y) : type === "i32" ? divideI32(x, y) : divideU32(x, y);
    case "remainder":
      return type === "f32" ? Math.fround(x % y) : type === "i32" ? remainderI32(x, y) : remainderU32(x, y);
    case "power":
      return type === "f32" ? Math.fround(x ** y) : type === "i32" ? powerI32(x, y) : powerU32(x, y);
    case "minimum":
      return Math.min(x, y);
    case "maximum":
      return Math.max(x, y);
  }
}

/** A constant converted as `cast` does. */
export function foldCast(to: ScalarType, from: ScalarType, x: number | boolean): number | boolean {
  const v = Number(x);
  switch (to) {
    case "bool":
      return v !== 0;
    case "f32":
      return Math.fround(v);
    case "i32":
      return from === "f32" ? toI32(v) : v | 0;
    case "u32":
      return from === "f32" ? toU32(v) : v >>> 0;
  }
}

/** A constant reinterpreted as `bitcast` does. */
export function foldBitcast(to: ScalarType, from: ScalarType, x: number): number {
  const bits = from === "f32" ? bitsOfF32(x) : x >>> 0;
  return to === "f32" ? f32OfBits(bits) : to === "i32" ? bits | 0 : bits;
}

/** `x` brought into `type`: rounded to f32, or modulo 2^32. */
export function wrap(type: ScalarType, x: number): number {
  return type === "f32" ? Math.fround(x) : type === "i32" ? x | 0 : x >>> 0;
}

function bitwise(type: ScalarType, bits: number): number | boolean {
  return type === "bool" ? bits !== 0 : wrap(type, bits);
}
