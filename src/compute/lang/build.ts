/**
 * Smart constructors for operations: they check types, fold constants and simplify. Leaves are made in `expr.ts`.
 *
 * Integers are simplified with what is known of their range (`rangeOf`): a variable made with bounds, such as a loop
 * counter, lets `(row * 8 + lane) / 8` become `row`. Every rewrite is valid for all values within those bounds;
 * floats are never reassociated.
 */
import { assert } from "../../base/assert.ts";
import { constant, isConstant, node, rangeOf } from "./expr.ts";
import type { BinaryOp, Expr, PlainType, ScalarType, UnaryOp } from "./kernel.ts";
import { foldBinary, foldBitcast, foldCast, foldUnary } from "./scalar-functions.ts";
import { divideSum, multiplySum, remainderSum, sumOf } from "./simplify.ts";
import { sameExpr } from "./walk.ts";

/** An f32 literal. Infinities and NaN are allowed; devices may compute anything from NaN. */
export function f32(value: number): Expr {
  return constant("f32", value);
}

/** An i32 literal. */
export function i32(value: number): Expr {
  return constant("i32", value);
}

/** A u32 literal. */
export function u32(value: number): Expr {
  return constant("u32", value);
}

/** A bool literal. */
export function bool(value: boolean): Expr {
  return constant("bool", value);
}

const FLOAT_ONLY: ReadonlySet<UnaryOp> = new Set(["exp", "log", "sqrt", "sin", "cos", "tanh", "erf"]);
const ROUNDING: ReadonlySet<UnaryOp> = new Set(["floor", "ceil", "round", "trunc"]);

/** `op(x)`. Numbers take every op but `not`, which is logical on bool and bitwise on integers; exp and on want f32. */
export function unary(op: UnaryOp, x: Expr): Expr {
  const { type } = x;
  if (type === "bool") assert(op === "not", `unary: expected not for a bool, found ${op}`);
  if (type === "f32") assert(op !== "not", "unary: expected a bool or an integer for not, found f32");
  assert(type === "f32" || !FLOAT_ONLY.has(op), `unary: expected f32 for ${op}, found ${type}`);
  if (type !== "f32" && ROUNDING.has(op)) return x;
  if (x.kind === "constant") return constant(type, foldUnary(op, type, x.value));
  if (x.kind === "unary" && x.op === op && (op === "negate" || op === "not")) return x.x;
  if (type === "u32" && op === "abs") return x;
  return node({ kind: "unary", type, op, x });
}

const COMPARISONS: ReadonlySet<BinaryOp> = new Set(["less", "lessEqual", "equal", "notEqual"]);
const BITWISE: ReadonlySet<BinaryOp> = new Set(["and", "or", "xor"]);
const SHIFTS: ReadonlySet<BinaryOp> = new Set(["shiftLeft", "shiftRight"]);

/** `a op b`, both of one type (a shift's amount may be u32 too, and counts modulo 32). Comparisons give bool. */
export function binary(op: BinaryOp, a: Expr, b: Expr): Expr {
  checkOperands(op, a, b);
  const type = COMPARISONS.has(op) ? "bool" : a.type;
  if (a.kind === "constant" && b.kind === "constant") return constant(type, foldBinary(op, a.type, a.value, b.value));
  return simplifyBinary(op, a, b) ?? node({ kind: "binary", type, op, a, b });
}

function checkOperands(op: BinaryOp, a: Expr, b: Expr): void {
  const found = `found ${a.type} and ${b.type}`;
  if (SHIFTS.has(op)) {
    const fits = (a.type === "i32" || a.type === "u32") && (b.type === a.type || b.type === "u32");
    return assert(fits, `binary: expected integers for ${op}, ${found}`);
  }
  assert(a.type === b.type, `binary: expected one type for ${op}, ${found}`);
  if (op === "multiplyHigh") assert(a.type === "u32", `binary: expected u32 for ${op}, ${found}`);
  else if (BITWISE.has(op)) assert(a.type !== "f32", `binary: expected bools or integers for ${op}, ${found}`);
  else if (op !== "equal" && op !== "notEqual")
    assert(a.type !== "bool", `binary: expected numbers for ${op}, ${found}`);
}

function simplifyBinary(op: BinaryOp, a: Expr, b: Expr): Expr | undefined {
  switch (op) {
    case "add":
      return a.type === "f32" ? undefined : sumOf(a, b, 1);
    case "subtract":
      return a.type === "f32" ? (isConstant(b, 0) ? a : undefined) : sumOf(a, b, -1);
    case "multiply":
      if (isConstant(b, 1)) return a;
      if (isConstant(a, 1)) return b;
      return a.type === "f32" ? undefined : multiplySum(a, b);
    case "divide":
      if (isConstant(b, 1)) return a;
      return a.type === "f32" ? undefined : divideSum(a, b);
    case "remainder":
      return a.type === "f32" ? undefined : remainderSum(a, b);
    case "minimum":
    case "maximum":
      return simplifyExtreme(op, a, b);
    case "and":
    case "or":
    case "xor":
      return simplifyBitwise(op, a, b) ?? simplifyBitwise(op, b, a);
    case "shiftLeft":
    case "shiftRight":
      return isConstant(b, 0) ? a : undefined;
    case "multiplyHigh":
      return isConstant(a, 0) || isConstant(b, 0) ? u32(0) : undefined;
    default:
      return decide(op, a, b);
  }
}

function simplifyExtreme(op: "minimum" | "maximum", a: Expr, b: Expr): Expr | undefined {
  if (a === b) return a;
  if (a.type === "f32") return undefined;
  const x = rangeOf(a);
  const y = rangeOf(b);
  if (x.max <= y.min) return op === "minimum" ? a : b;
  if (y.max <= x.min) return op === "minimum" ? b : a;
  return undefined;
}

function simplifyBitwise(op: "and" | "or" | "xor", a: Expr, b: Expr): Expr | undefined {
  if (b.kind !== "constant") return a === b && op !== "xor" ? a : undefined;
  if (a.type === "bool") {
    if (op === "xor") return b.value === true ? unary("not", a) : a;
    return b.value === (op === "and") ? a : b;
  }
  if (b.value === 0) return op === "and" ? b : a;
  return undefined;
}

/** A comparison whose outcome the operands' bounds settle. */
function decide(op: BinaryOp, a: Expr, b: Expr): Expr | undefined {
  if (a.type === "f32") return undefined;
  const x = rangeOf(a);
  const y = rangeOf(b);
  switch (op) {
    case "less":
      return a === b || x.min >= y.max ? bool(false) : x.max < y.min ? bool(true) : undefined;
    case "lessEqual":
      return a === b || x.max <= y.min ? bool(true) : x.min > y.max ? bool(false) : undefined;
    case "equal":
      return a === b ? bool(true) : x.max < y.min || y.max < x.min ? bool(false) : undefined;
    case "notEqual":
      return a === b ? bool(false) : x.max < y.min || y.max < x.min ? bool(true) : undefined;
    default:
      return undefined;
  }
}

/** a + b */
export function add(a: Expr, b: Expr): Expr {
  return binary("add", a, b);
}

/** a - b */
export function subtract(a: Expr, b: Expr): Expr {
  return binary("subtract", a, b);
}

/** a * b */
export function multiply(a: Expr, b: Expr): Expr {
  return binary("multiply", a, b);
}

/** a / b; integers truncate toward zero, and x / 0 is x. */
export function divide(a: Expr, b: Expr): Expr {
  return binary("divide", a, b);
}

/** a - b * trunc(a / b); for integers x % 0 is 0. */
export function remainder(a: Expr, b: Expr): Expr {
  return binary("remainder", a, b);
}

/** a^b. A negative f32 base needs a whole exponent, else it is NaN. */
export function power(a: Expr, b: Expr): Expr {
  return binary("power", a, b);
}

/** The smaller one. With a NaN, either. */
export function minimum(a: Expr, b: Expr): Expr {
  return binary("minimum", a, b);
}

/** The larger one. With a NaN, either. */
export function maximum(a: Expr, b: Expr): Expr {
  return binary("maximum", a, b);
}

/** a < b */
export function less(a: Expr, b: Expr): Expr {
  return binary("less", a, b);
}

/** a <= b */
export function lessEqual(a: Expr, b: Expr): Expr {
  return binary("lessEqual", a, b);
}

/** a > b */
export function greater(a: Expr, b: Expr): Expr {
  return binary("less", b, a);
}

/** a >= b */
export function greaterEqual(a: Expr, b: Expr): Expr {
  return binary("lessEqual", b, a);
}

/** a == b */
export function equal(a: Expr, b: Expr): Expr {
  return binary("equal", a, b);
}

/** a != b */
export function notEqual(a: Expr, b: Expr): Expr {
  return binary("notEqual", a, b);
}

/** Logical on bools, bitwise on integers. */
export function and(a: Expr, b: Expr): Expr {
  return binary("and", a, b);
}

/** Logical on bools, bitwise on integers. */
export function or(a: Expr, b: Expr): Expr {
  return binary("or", a, b);
}

/** Logical on bools, bitwise on integers. */
export function xor(a: Expr, b: Expr): Expr {
  return binary("xor", a, b);
}

/** a << (b mod 32) */
export function shiftLeft(a: Expr, b: Expr): Expr {
  return binary("shiftLeft", a, b);
}

/** a >> (b mod 32); keeps the sign of an i32. */
export function shiftRight(a: Expr, b: Expr): Expr {
  return binary("shiftRight", a, b);
}

/** The upper word of the 64-bit product of two u32. */
export function multiplyHigh(a: Expr, b: Expr): Expr {
  return binary("multiplyHigh", a, b);
}

/** !x on a bool, ~x on an integer. */
export function not(x: Expr): Expr {
  return unary("not", x);
}

/** -x, modulo 2^32 on integers. */
export function negate(x: Expr): Expr {
  return unary("negate", x);
}

/** condition ? yes : no; both are evaluated. */
export function select(condition: Expr, yes: Expr, no: Expr): Expr {
  assert(condition.type === "bool", `select: expected a bool condition, found ${condition.type}`);
  assert(yes.type === no.type, `select: expected branches of one type, found ${yes.type} and ${no.type}`);
  if (condition.kind === "constant") return condition.value === true ? yes : no;
  if (yes === no) return yes;
  if (condition.kind === "unary" && condition.op === "not") return select(condition.x, no, yes);
  if (yes.type === "bool" && isConstant(yes, true) && isConstant(no, false)) return condition;
  if (yes.type === "bool" && isConstant(yes, false) && isConstant(no, true)) return unary("not", condition);
  // A part of a whole, where it is known to be inside: its own bounds say nothing new.
  if (yes.kind === "select" && sameExpr(yes.condition, condition)) return select(condition, yes.yes, no);
  if (no.kind === "select" && sameExpr(no.condition, condition)) return select(condition, yes, no.no);
  return node({ kind: "select", type: yes.type, condition, yes, no });
}

/** `x` converted: f32 to integers truncates and saturates, anything to bool is x != 0, integers wrap. */
export function cast(type: ScalarType, x: Expr): Expr {
  if (type === x.type) return x;
  if (x.kind === "constant") return constant(type, foldCast(type, x.type, x.value));
  if (type === "bool" && x.kind === "cast" && x.x.type === "bool") return x.x;
  return node({ kind: "cast", type, x });
}

/** The bits of `x` as another type of 32 bits. */
export function bitcast(type: ScalarType, x: Expr): Expr {
  assert(type !== "bool" && x.type !== "bool", `bitcast: expected 32-bit types, found ${x.type} to ${type}`);
  if (type === x.type) return x;
  if (x.kind === "constant") {
    const value = foldBitcast(type, x.type, Number(x.value));
    // A NaN's bits would not survive as a JavaScript number.
    if (!Number.isNaN(value) && !Number.isNaN(x.value)) return constant(type, value);
  }
  if (x.kind === "bitcast" && x.x.type === type) return x.x;
  return node({ kind: "bitcast", type, x });
}

/** Element `index` of an array; an index outside it is clamped, and a negative one reads element 0. */
export function load(binding: number, index: Expr, type: ScalarType): Expr {
  assert(index.type === "i32" || index.type === "u32", `load: expected an integer index, found ${index.type}`);
  assert(type !== "bool", "load: expected f32, i32 or u32, found bool, which is stored as u32");
  return node({ kind: "load", type, binding, index });
}

/** Element `index` of shared array `array` of the workgroup, clamped as in `load`. */
export function loadShared(array: number, index: Expr, type: PlainType): Expr {
  assert(index.type === "i32" || index.type === "u32", `loadShared: expected an integer index, found ${index.type}`);
  return node({ kind: "loadShared", type, array, index });
}

/** Element `index` of the private array `name` (see `arrayIn`), clamped as in `load`. */
export function loadPrivate(name: string, index: Expr, type: PlainType): Expr {
  assert(index.type === "i32" || index.type === "u32", `loadPrivate: expected an integer index, found ${index.type}`);
  return node({ kind: "loadPrivate", type, name, index });
}
