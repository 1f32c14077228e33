/**
 * The values an integer expression can have, as [min, max]: what index simplification and bounds checks rely on.
 *
 * An interval is only ever claimed when the operation cannot wrap; otherwise it is the whole type.
 */
import type { BinaryOp, Expr, ScalarType } from "./kernel.ts";

export interface Interval {
  readonly min: number;
  readonly max: number;
}

const WHOLE: { readonly [T in ScalarType]: Interval } = {
  i32: { min: -0x80000000, max: 0x7fffffff },
  u32: { min: 0, max: 0xffffffff },
  bool: { min: 0, max: 1 },
  f32: { min: -Infinity, max: Infinity },
};

/** Every value of `type`. */
export function wholeInterval(type: ScalarType): Interval {
  return WHOLE[type];
}

/** `interval` where it fits `type`, else the whole type: the operation may have wrapped. */
function clampInterval(type: ScalarType, interval: Interval): Interval {
  const whole = WHOLE[type];
  return interval.min >= whole.min && interval.max <= whole.max ? interval : whole;
}

/** The interval of `x` from those of its operands; the whole type for floats, loads and variables. */
export function inferInterval(x: Expr, of: (operand: Expr) => Interval): Interval {
  const whole = WHOLE[x.type];
  if (x.type === "f32") return whole;
  switch (x.kind) {
    case "constant":
      return { min: Number(x.value), max: Number(x.value) };
    case "binary":
      return x.a.type === "f32" || x.type === "bool"
        ? whole
        : clampInterval(x.type, binaryInterval(x.op, of(x.a), of(x.b)) ?? whole);
    case "select": {
      const yes = of(x.yes);
      const no = of(x.no);
      return { min: Math.min(yes.min, no.min), max: Math.max(yes.max, no.max) };
    }
    case "cast":
      if (x.x.type === "bool") return WHOLE.bool;
      return x.x.type === "f32" || x.type === "bool" ? whole : clampInterval(x.type, of(x.x));
    case "bitcast":
      return x.x.type === "f32" ? whole : clampInterval(x.type, of(x.x));
    case "unary":
      return clampInterval(x.type, unaryInterval(x, of) ?? whole);
    case "variable":
    case "load":
    case "loadShared":
    case "loadPrivate":
      return whole;
  }
}

function unaryInterval(x: Expr & { kind: "unary" }, of: (operand: Expr) => Interval): Interval | undefined {
  const { min, max } = of(x.x);
  switch (x.op) {
    case "negate":
      return { min: -max, max: -min };
    case "abs":
      return { min: min > 0 ? min : max < 0 ? -max : 0, max: Math.max(-min, max) };
    case "sign":
      return { min: Math.sign(min), max: Math.sign(max) };
    default:
      return undefined;
  }
}

function binaryInterval(op: BinaryOp, a: Interval, b: Interval): Interval | undefined {
  switch (op) {
    case "add":
      return { min: a.min + b.min, max: a.max + b.max };
    case "subtract":
      return { min: a.min - b.max, max: a.max - b.min };
    case "multiply":
      return corners(a, b, (x, y) => x * y);
    case "divide":
      return b.min > 0 ? corners(a, b, (x, y) => Math.trunc(x / y)) : undefined;
    case "remainder":
      return b.min > 0 ? remainderInterval(a, b) : undefined;
    case "minimum":
      return { min: Math.min(a.min, b.min), max: Math.min(a.max, b.max) };
    case "maximum":
      return { min: Math.max(a.min, b.min), max: Math.max(a.max, b.max) };
    case "and":
      // A non-negative operand bounds the result.
      return a.min >= 0 || b.min >= 0
        ? { min: 0, max: Math.min(a.min >= 0 ? a.max : Infinity, b.min >= 0 ? b.max : Infinity) }
        : undefined;
    case "shiftRight":
      // Only by a constant in range, where it divides by a power of two and rounds down.
      return b.min === b.max && b.min >= 0 && b.min < 32
        ? { min: Math.floor(a.min / 2 ** b.min), max: Math.floor(a.max / 2 ** b.min) }
        : undefined;
    default:
      return undefined;
  }
}

function remainderInterval(a: Interval, b: Interval): Interval {
  const most = b.max - 1;
  const max = a.max < 0 ? 0 : Math.min(a.max, most);
  const min = a.min > 0 ? 0 : Math.max(a.min, -most);
  // Smaller than every divisor: unchanged.
  return a.min >= 0 && a.max < b.min ? a : { min, max };
}

function corners(a: Interval, b: Interval, f: (x: number, y: number) => number): Interval {
  const values = [f(a.min, b.min), f(a.min, b.max), f(a.max, b.min), f(a.max, b.max)];
  return { min: Math.min(...values), max: Math.max(...values) };
}
