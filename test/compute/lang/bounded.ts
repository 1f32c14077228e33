/**
 * The meaning of expressions with error bounds: what every device's result must lie within (`run-bounded.ts` runs kernels).
 *
 * Each value carries how far a conforming f32 implementation may be from it, propagated to first order from the
 * accuracies of the WGSL specification (section "Floating Point Accuracy") and of the functions we write out ourselves.
 * A value that depends on a comparison or a rounding that the bounds leave open, or that leaves the normal f32 range,
 * is undecided: its bound is infinite, and nothing is asked of it.
 */
import { InvariantError } from "../../../src/base/errors.ts";
import type { BinaryOp, Expr, ScalarType, UnaryOp } from "../../../src/compute/lang/kernel.ts";
import { foldBinary, foldBitcast, foldCast, foldUnary } from "../../../src/compute/lang/scalar-functions.ts";

export interface Bounded {
  readonly value: number;
  /** 0 is exact to the bit, Infinity undecided. */
  readonly bound: number;
  /** Of a sum: the sizes of all its terms together, since a device may add them in another order. */
  readonly scale?: number;
}

/** Half a unit in the last place of an f32, relative. */
const HALF_ULP = 2 ** -24;
const ULP = 2 ** -23;
/** Below this, a device may flush to 0. */
const NORMAL_MIN = 2 ** -126;
const NORMAL_MAX = 2 ** 127;
/** Nothing is known of it. */
export const UNDECIDED: Bounded = { value: 0, bound: Infinity };

/** The value of anything but a variable or a load, from those of its operands. */
export function evaluate(x: Expr, operands: readonly Bounded[]): Bounded {
  if (x.kind === "constant") return checked(x.type, { value: Number(x.value), bound: 0 });
  const [a = UNDECIDED, b = UNDECIDED, c = UNDECIDED] = operands;
  if (x.kind === "select") return a.bound > 0 ? UNDECIDED : a.value !== 0 ? b : c;
  if (operands.some(({ bound }) => bound === Infinity)) return UNDECIDED;
  switch (x.kind) {
    case "cast":
      return checked(x.type, castBounded(x.type, x.x.type, a));
    case "bitcast":
      // No device promises the sign of a zero.
      if (a.bound > 0 || (x.x.type === "f32" && a.value === 0)) return UNDECIDED;
      return checked(x.type, { value: foldBitcast(x.type, x.x.type, a.value), bound: 0 });
    case "unary":
      if (x.type !== "f32") return exact(foldUnary(x.op, x.type, x.type === "bool" ? a.value !== 0 : a.value));
      return checked("f32", unaryBounded(x.op, a));
    case "binary": {
      const { type } = x.a;
      if (type !== "f32") return exact(foldBinary(x.op, type, a.value, b.value));
      return x.type === "bool" ? compareBounded(x.op, a, b) : checked("f32", binaryBounded(x.op, a, b));
    }
    default:
      throw new InvariantError(`bounded: expected an operation, found ${x.kind}`);
  }
}

/** op over all of `values`, in whatever order: what the lanes of a subgroup get. */
export function reduceBounded(
  op: "add" | "product" | "minimum" | "maximum",
  type: ScalarType,
  values: readonly Bounded[],
): Bounded {
  if (values.some(({ bound }) => bound === Infinity)) return UNDECIDED;
  const operator = op === "product" ? "multiply" : op;
  const [first = UNDECIDED, ...rest] = values;
  if (type !== "f32") return exact(rest.reduce((a, b) => Number(foldBinary(operator, type, a, b.value)), first.value));
  if (op !== "product")
    return checked(
      type,
      rest.reduce((a, b) => checked(type, binaryBounded(operator, a, b)), first),
    );
  // Some order may overflow, or flush, where another does not.
  const reach = values.reduce((size, { value }) => size + Math.abs(Math.log2(Math.abs(value))), 0);
  if (!(reach < 120)) return UNDECIDED;
  return rest.reduce((a, b) => checked(type, binaryBounded("multiply", a, b)), first);
}

function exact(value: number | boolean): Bounded {
  return { value: Number(value), bound: 0 };
}

/** Undecided outside the normal range of f32, where devices may flush or overflow. */
function checked(type: ScalarType, x: Bounded): Bounded {
  if (type !== "f32") return x;
  const reach = Math.abs(x.value) + x.bound;
  if (!(reach < NORMAL_MAX)) return UNDECIDED;
  const mayFlush = x.value !== 0 && Math.abs(x.value) < NORMAL_MIN * 2;
  return mayFlush ? UNDECIDED : x;
}

function castBounded(to: ScalarType, from: ScalarType, x: Bounded): Bounded {
  if (to === "f32") {
    const value = Number(foldCast(to, from, x.value));
    return { value, bound: x.bound };
  }
  if (from === "f32" && !staysPut(x, to === "bool" ? Math.sign : Math.trunc)) return UNDECIDED;
  return exact(foldCast(to, from, from === "bool" ? x.value !== 0 : x.value));
}

/** True where `step` has one value all over the bounds; a zero is a sign of its own. */
function staysPut({ value, bound }: Bounded, step: (x: number) => number): boolean {
  return bound === 0 || (step(value - bound) === step(value + bound) && step(value - bound) === step(value));
}

function compareBounded(op: BinaryOp, a: Bounded, b: Bounded): Bounded {
  const isOpen = Math.abs(a.value - b.value) <= a.bound + b.bound && a.bound + b.bound > 0;
  return isOpen ? UNDECIDED : exact(foldBinary(op, "f32", a.value, b.value));
}

const STEPS: { readonly [Op in UnaryOp]?: (x: number) => number } = {
  sign: Math.sign,
  floor: Math.floor,
  ceil: Math.ceil,
  trunc: Math.trunc,
  round: (x) => Number(foldUnary("round", "f32", x)),
};

function unaryBounded(op: UnaryOp, x: Bounded): Bounded {
  const { value: v, bound } = x;
  const step = STEPS[op];
  if (step !== undefined) return staysPut(x, step) ? exact(step(v)) : UNDECIDED;
  switch (op) {
    case "negate":
      return { value: -v, bound };
    case "abs":
      return { value: Math.abs(v), bound };
    case "exp": {
      const value = Math.exp(v);
      return { value, bound: value * (Math.expm1(bound) + (3 + 2 * Math.abs(v)) * ULP) };
    }
    case "log": {
      if (v - bound <= NORMAL_MIN) return UNDECIDED;
      const value = Math.log(v);
      return { value, bound: bound / (v - bound) + Math.max(2 ** -21, 3 * ULP * Math.abs(value)) };
    }
    case "sqrt": {
      if (v - bound <= NORMAL_MIN) return v === 0 && bound === 0 ? exact(0) : UNDECIDED;
      // 1 / inverseSqrt: 2 units, and 2.5 of the division.
      return { value: Math.sqrt(v), bound: bound / (2 * Math.sqrt(v - bound)) + 5 * ULP * Math.sqrt(v) };
    }
    case "sin":
    case "cos":
      // Ours: exact reduction up to 2^13 quarter turns, then a few roundings.
      return Math.abs(v) < 8192 ? { value: Math[op](v), bound: bound + 2 ** -21 } : UNDECIDED;
    case "tanh":
      return { value: Math.tanh(v), bound: bound + 2 ** -20 };
    case "erf":
      return { value: Number(foldUnary("erf", "f32", v)), bound: 1.13 * bound + 2 ** -20 };
    default:
      throw new InvariantError(`bounded: expected a float operation, found ${op}`);
  }
}

function binaryBounded(op: BinaryOp, a: Bounded, b: Bounded): Bounded {
  const [x, y] = [a.value, b.value];
  const rounded = (value: number, bound: number, units: number): Bounded => ({
    value,
    bound: bound + Math.abs(value) * units * HALF_ULP,
  });
  switch (op) {
    case "add":
    case "subtract": {
      const scale = (a.scale ?? Math.abs(x)) + (b.scale ?? Math.abs(y));
      return { value: op === "add" ? x + y : x - y, bound: a.bound + b.bound + scale * 1.01 * HALF_ULP, scale };
    }
    case "multiply":
      return rounded(x * y, Math.abs(x) * b.bound + Math.abs(y) * a.bound + a.bound * b.bound, 1.01);
    case "divide": {
      const least = Math.abs(y) - b.bound;
      if (least <= NORMAL_MIN) return UNDECIDED;
      return rounded(x / y, (a.bound + Math.abs(x / y) * b.bound) / least, 5.01);
    }
    case "remainder":
      return remainderBounded(a, b);
    case "power":
      return powerBounded(a, b);
    case "minimum":
      return { value: Math.min(x, y), bound: Math.max(a.bound, b.bound) };
    case "maximum":
      return { value: Math.max(x, y), bound: Math.max(a.bound, b.bound) };
    default:
      throw new InvariantError(`bounded: expected a float operation, found ${op}`);
  }
}

/** x - y * trunc(x / y): continuous but where x / y is whole; the product rounds to the scale of x. */
function remainderBounded(a: Bounded, b: Bounded): Bounded {
  const [x, y] = [a.value, b.value];
  const quotient = x / y;
  if (!(Math.abs(y) - b.bound > NORMAL_MIN) || Math.abs(quotient) > 2 ** 22) return UNDECIDED;
  const bound = a.bound + Math.abs(quotient) * b.bound + Math.abs(x) * 2 * ULP;
  const near = Math.abs(quotient - Math.round(quotient)) * Math.abs(y);
  return near <= bound && Math.round(quotient) !== 0 ? UNDECIDED : { value: x % y, bound };
}

/** exp2(y * log2(x)), and its sign by hand. */
function powerBounded(a: Bounded, b: Bounded): Bounded {
  const [x, y] = [a.value, b.value];
  if (y === 0 && b.bound === 0) return exact(1);
  if (x === 0 && a.bound === 0 && y - b.bound > 0) return exact(0);
  const isOddOrEven = b.bound === 0 && Number.isInteger(y) && Math.abs(y) < 2 ** 23;
  if (Math.abs(x) - a.bound <= NORMAL_MIN || (x < 0 && !isOddOrEven)) return UNDECIDED;
  const size = Math.abs(x);
  const log = Math.log2(size);
  const logError = Math.max(2 ** -21, 3 * ULP * Math.abs(log)) + a.bound / ((size - a.bound) * Math.LN2);
  const exponentError = Math.abs(y) * logError + Math.abs(log) * b.bound + Math.abs(y * log) * ULP;
  const relative = Math.expm1(exponentError * Math.LN2) + (3 + 2 * Math.abs(y * log)) * ULP;
  const value = x ** y;
  return { value, bound: Math.abs(value) * relative };
}
