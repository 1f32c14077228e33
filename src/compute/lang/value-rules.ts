/** What is known of a numbered value from its expression and its operands alone: a key, bounds, or something simpler. */
import { inferInterval, wholeInterval, type Interval } from "./interval.ts";
import type { Expr, ScalarType } from "./kernel.ts";
import type { Value } from "./numbered-kernel.ts";
import { foldBinary, foldBitcast, foldCast, foldUnary } from "./scalar-functions.ts";
import { operandsOf } from "./walk.ts";

/** True for i32 and u32. */
export function isInteger(type: ScalarType): boolean {
  return type === "i32" || type === "u32";
}

/** The bounds of `x` from those of its operands. */
export function intervalOf(x: Expr, operands: readonly Value[]): Interval {
  if (!isInteger(x.type)) return wholeInterval(x.type);
  const sources = operandsOf(x);
  return inferInterval(x, (operand) => operands[sources.indexOf(operand)]?.range ?? wholeInterval(operand.type));
}

/** What tells two expressions with the same operands apart. */
export function keyOf(x: Expr): string {
  switch (x.kind) {
    case "constant":
      return `${x.type} ${Object.is(x.value, -0) ? "-0" : x.value}`;
    case "variable":
      return `name ${x.name}`;
    case "unary":
    case "binary":
      return `${x.op} ${x.type}`;
    case "load":
      return `load ${x.binding}`;
    case "loadShared":
      return `shared ${x.array}`;
    case "loadPrivate":
      return `private ${x.name}`;
    case "select":
    case "cast":
    case "bitcast":
      return `${x.kind} ${x.type}`;
  }
}

/** The constant that an operation on constants is: WGSL refuses some of them, such as an overflow. */
export function fold(x: Expr, operands: readonly Value[]): Expr | undefined {
  const constants: (Expr & { kind: "constant" })[] = [];
  for (const { expr } of operands) {
    if (expr.kind !== "constant") return undefined;
    constants.push(expr);
  }
  const [a, b] = constants;
  if (a === undefined) return undefined;
  const literal = (value: number | boolean): Expr => ({ kind: "constant", type: x.type, value });
  switch (x.kind) {
    case "unary":
      return literal(foldUnary(x.op, x.type, a.value));
    case "binary":
      return b === undefined ? undefined : literal(foldBinary(x.op, a.type, a.value, b.value));
    case "cast":
      return literal(foldCast(x.type, a.type, a.value));
    case "bitcast": {
      const value = foldBitcast(x.type, a.type, Number(a.value));
      // A NaN's bits would not survive as a JavaScript number.
      return Number.isNaN(value) || Number.isNaN(a.value) ? undefined : literal(value);
    }
    default:
      return undefined;
  }
}

/** The operand that `x` is: WGSL refuses some operations that need not be written at all. */
export function sameAs(x: Expr, operands: readonly Value[]): Value | undefined {
  const [a, b, c] = operands;
  if (x.kind === "select" && a?.expr.kind === "constant") return a.expr.value === true ? b : c;
  return isByZero("divide", x, operands) ? a : undefined;
}

/** True for x / 0 (which is x) and x % 0 (0) on integers: WGSL refuses a literal 0 there. */
export function isByZero(op: "divide" | "remainder", x: Expr, operands: readonly Value[]): boolean {
  if (x.kind !== "binary" || x.op !== op || x.type === "f32") return false;
  const divisor = operands[1]?.expr;
  return divisor?.kind === "constant" && divisor.value === 0;
}
