/**
 * Integer index arithmetic, simplified: sums of multiples, divided and taken modulo constants.
 *
 * Shapes and strides are constants, so almost every index is c0 + c1 * x1 + c2 * x2 + ... with bounded x. Sums are
 * exact modulo 2^32 whatever the values; rules for `/` and `%` want bounds that rule wrapping out.
 *
 * Each function gives undefined where it knows nothing better than the plain operation.
 */
import { constant, node, rangeOf } from "./expr.ts";
import type { BinaryOp, Expr } from "./kernel.ts";
import { addTerm, boundsOf, productOf, sumExpr, termsOf, type Sum } from "./sum.ts";
import { sameExpr } from "./walk.ts";

/** a + sign * b, where terms merge, cancel, or join again: (x / c) * c + x % c is x. */
export function sumOf(a: Expr, b: Expr, sign: 1 | -1): Expr | undefined {
  const { type } = a;
  for (const depth of ["shallow", "deep"] as const) {
    const left = termsOf(a, depth);
    const right = termsOf(b, depth);
    if (left === undefined || right === undefined) continue;
    const merged = [...left.terms];
    for (const { x, factor } of right.terms) addTerm(merged, { x, factor: Math.imul(factor, sign) });
    const terms = rejoin(merged);
    const offset = (left.offset + Math.imul(right.offset, sign)) | 0;
    const merges = terms.length < left.terms.length + right.terms.length;
    // Anything else keeps its operands, which others may share.
    if (merges || (depth === "shallow" && mergesOffsets(left, right))) return sumExpr(type, { terms, offset });
  }
  // Constants go last, where the next addition finds them.
  if (sign === 1 && a.kind === "constant") return node({ kind: "binary", type, op: "add", a: b, b: a });
  return undefined;
}

function mergesOffsets(left: Sum, right: Sum): boolean {
  if (left.offset !== 0 && right.offset !== 0) return true;
  return left.terms.length === 0 ? left.offset === 0 : right.terms.length === 0 && right.offset === 0;
}

/** a * b, where one is a constant and the other a constant, or a product with one. */
export function multiplySum(a: Expr, b: Expr): Expr | undefined {
  if (a.kind === "constant") {
    if (b.kind === "constant") return undefined;
    return multiplySum(b, a) ?? node({ kind: "binary", type: a.type, op: "multiply", a: b, b: a });
  }
  if (b.kind !== "constant") return undefined;
  if (b.value === 0) return b;
  if (a.kind !== "binary" || a.op !== "multiply" || a.b.kind !== "constant") return undefined;
  return productOf(a.type, a.a, Math.imul(Number(a.b.value), Number(b.value)));
}

/** a / b, where b is a positive constant. */
export function divideSum(a: Expr, b: Expr): Expr | undefined {
  const { type } = a;
  const divisor = positiveConstant(b);
  if (divisor === undefined) return undefined;
  if (divisor === 1) return a;
  const range = rangeOf(a);
  const first = Math.trunc(range.min / divisor);
  if (first === Math.trunc(range.max / divisor)) return constant(type, first);
  if (range.min < 0) return undefined;
  if (a.kind === "binary" && a.op === "divide" && rangeOf(a.a).min >= 0) {
    const inner = positiveConstant(a.b);
    if (inner !== undefined && inner * divisor <= 0x7fffffff) {
      const both = constant(type, inner * divisor);
      return divideSum(a.a, both) ?? plain("divide", a.a, both);
    }
  }
  const split = splitMultiples(a, divisor);
  if (split === undefined) {
    const shared = commonFactor(a, divisor);
    if (shared === undefined) return undefined;
    const rest = constant(type, divisor / shared.factor);
    return divideSum(shared.whole, rest) ?? plain("divide", shared.whole, rest);
  }
  const terms = split.multiples.terms.map(({ x, factor }) => ({ x, factor: factor / divisor }));
  const whole = sumExpr(type, { terms, offset: split.multiples.offset / divisor });
  const rest = divideSum(split.rest, b) ?? plain("divide", split.rest, b);
  if (rest.kind === "constant" && rest.value === 0) return whole;
  return sumOf(whole, rest, 1) ?? plain("add", whole, rest);
}

/** a % b, where b is a positive constant. */
export function remainderSum(a: Expr, b: Expr): Expr | undefined {
  const { type } = a;
  const divisor = positiveConstant(b);
  if (divisor === undefined) return undefined;
  if (divisor === 1) return constant(type, 0);
  const range = rangeOf(a);
  if (range.min === range.max) return constant(type, range.min % divisor);
  if (range.min < 0) return undefined;
  if (range.max < divisor) return a;
  if (a.kind === "binary" && a.op === "remainder" && rangeOf(a.a).min >= 0) {
    const inner = positiveConstant(a.b);
    if (inner !== undefined && inner % divisor === 0) return remainderSum(a.a, b) ?? plain("remainder", a.a, b);
  }
  const split = splitMultiples(a, divisor);
  if (split !== undefined) return remainderSum(split.rest, b) ?? plain("remainder", split.rest, b);
  const shared = commonFactor(a, divisor);
  if (shared === undefined) return undefined;
  const rest = constant(type, divisor / shared.factor);
  const whole = remainderSum(shared.whole, rest) ?? plain("remainder", shared.whole, rest);
  const terms = termsOf(whole, "deep");
  if (terms === undefined) return undefined;
  const scaled = terms.terms.map(({ x, factor }) => ({ x, factor: factor * shared.factor }));
  return sumExpr(type, { terms: scaled, offset: terms.offset * shared.factor + shared.rest });
}

/**
 * `a` as factor * whole + rest, where 1 < factor divides `divisor`, and 0 <= rest < factor: then a / divisor is
 * whole / (divisor / factor), the same for all neighbours. Undefined where there is no such factor, or it may wrap.
 */
function commonFactor(a: Expr, divisor: number): { factor: number; whole: Expr; rest: number } | undefined {
  const sum = termsOf(a, "deep");
  if (sum === undefined || sum.terms.length === 0) return undefined;
  const factor = sum.terms.reduce((common, term) => greatestCommonDivisor(common, Math.abs(term.factor)), divisor);
  if (factor === 1) return undefined;
  const { min, max } = boundsOf(sum);
  if (min < 0 || max > (a.type === "i32" ? 0x7fffffff : 0xffffffff)) return undefined;
  const rest = ((sum.offset % factor) + factor) % factor;
  const terms = sum.terms.map((term) => ({ x: term.x, factor: term.factor / factor }));
  return { factor, rest, whole: sumExpr(a.type, { terms, offset: (sum.offset - rest) / factor }) };
}

function greatestCommonDivisor(a: number, b: number): number {
  return b === 0 ? a : greatestCommonDivisor(b, a % b);
}

/**
 * `a` as multiples of `divisor` plus a rest, both known to be non-negative and not to wrap: then / and % distribute.
 * Undefined when there are no multiples to take out, or nothing is known.
 */
function splitMultiples(a: Expr, divisor: number): { multiples: Sum; rest: Expr } | undefined {
  const sum = termsOf(a, "deep");
  if (sum === undefined) return undefined;
  const restOffset = ((sum.offset % divisor) + divisor) % divisor;
  const multiples: Sum = {
    terms: sum.terms.filter((term) => term.factor % divisor === 0),
    offset: sum.offset - restOffset,
  };
  const rest: Sum = { terms: sum.terms.filter((term) => term.factor % divisor !== 0), offset: restOffset };
  if (multiples.terms.length === 0 && multiples.offset === 0) return undefined;
  const high = boundsOf(multiples);
  const low = boundsOf(rest);
  const most = a.type === "i32" ? 0x7fffffff : 0xffffffff;
  if (high.min < 0 || low.min < 0 || high.max + low.max > most) return undefined;
  return { multiples, rest: sumExpr(a.type, rest) };
}

/** (x / c) * c * k + (x % c) * k is x * k, for any x: what a reshape there and back leaves. */
function rejoin(terms: Sum["terms"]): Sum["terms"] {
  for (const low of terms) {
    if (low.x.kind !== "binary" || low.x.op !== "remainder" || low.x.b.kind !== "constant") continue;
    const { a: whole, b: divisor } = low.x;
    const factor = Math.imul(low.factor, Number(divisor.value));
    const high = terms.find((term) => term.factor === factor && isQuotient(term.x, whole, divisor));
    if (high === undefined) continue;
    const out = terms.filter((term) => term !== low && term !== high);
    addTerm(out, { x: whole, factor: low.factor });
    return rejoin(out);
  }
  return terms;
}

/** True for whole / divisor, which may have been written (x / c) / d or x / (c * d). */
function isQuotient(x: Expr, whole: Expr, divisor: Expr): boolean {
  if (x.kind !== "binary" || x.op !== "divide") return false;
  if (sameExpr(x.a, whole) && sameExpr(x.b, divisor)) return true;
  if (whole.kind !== "binary" || whole.op !== "divide" || !sameExpr(x.a, whole.a)) return false;
  const inner = positiveConstant(whole.b);
  const outer = positiveConstant(divisor);
  return inner !== undefined && outer !== undefined && positiveConstant(x.b) === inner * outer;
}

function plain(op: BinaryOp, a: Expr, b: Expr): Expr {
  return node({ kind: "binary", type: a.type, op, a, b });
}

function positiveConstant(x: Expr): number | undefined {
  if (x.kind !== "constant" || typeof x.value !== "number" || x.value <= 0) return undefined;
  return x.value;
}
