/** Sums of integer multiples modulo 2^32: c0 + c1 * x1 + c2 * x2 + ..., taken apart and put together. */
import { constant, node, rangeOf } from "./expr.ts";
import type { Interval } from "./interval.ts";
import type { Expr, ScalarType } from "./kernel.ts";
import { wrap } from "./scalar-functions.ts";
import { sameExpr } from "./walk.ts";

/** Factors are kept in [-2^31, 2^31), in u32 sums too: the same modulo 2^32, and -1 stays small. */
export interface Term {
  readonly x: Expr;
  readonly factor: number;
}

/** A sum of terms and a constant; no two terms have the same expression, and no factor is 0. */
export interface Sum {
  readonly terms: readonly Term[];
  readonly offset: number;
}

/** Longer sums are left as they are: they are no indices, and every addition would walk them. */
const TERMS_MAX = 12;

/**
 * The terms of nested additions, subtractions and multiplications by constants; undefined beyond TERMS_MAX.
 *
 * "deep" multiplies out sums that a constant multiplies; "shallow" keeps them as one term.
 */
export function termsOf(x: Expr, depth: "deep" | "shallow"): Sum | undefined {
  const terms: Term[] = [];
  let offset = 0;
  const open: Term[] = [{ x, factor: 1 }];
  for (let part = open.pop(); part !== undefined; part = open.pop()) {
    if (terms.length + open.length >= TERMS_MAX) return undefined;
    const { x: whole, factor } = part;
    if (whole.kind === "constant") {
      offset = (offset + Math.imul(factor, Number(whole.value))) | 0;
    } else if (whole.kind === "binary" && whole.op === "multiply" && whole.b.kind === "constant") {
      const inner: Term = { x: whole.a, factor: Math.imul(factor, Number(whole.b.value)) };
      if (depth === "deep") open.push(inner);
      else addTerm(terms, inner);
    } else if (whole.kind === "binary" && (whole.op === "add" || whole.op === "subtract")) {
      // The first operand last: a stack turns them round.
      open.push({ x: whole.b, factor: whole.op === "subtract" ? -factor | 0 : factor }, { x: whole.a, factor });
    } else {
      addTerm(terms, part);
    }
  }
  return { terms, offset };
}

/** Adds to the term with the same expression, or as a new one. */
export function addTerm(terms: Term[], term: Term): void {
  const at = terms.findIndex((other) => sameExpr(other.x, term.x));
  const other = terms[at];
  const factor = ((other?.factor ?? 0) + term.factor) | 0;
  if (other === undefined) {
    if (factor !== 0) terms.push(term);
  } else if (factor === 0) {
    terms.splice(at, 1);
  } else {
    terms[at] = { x: other.x, factor };
  }
}

/** The exact bounds of a sum, as a mathematical number that never wraps. */
export function boundsOf(sum: Sum): Interval {
  let { offset: min, offset: max } = sum;
  for (const { x, factor } of sum.terms) {
    const range = rangeOf(x);
    min += Math.min(range.min * factor, range.max * factor);
    max += Math.max(range.min * factor, range.max * factor);
  }
  return { min, max };
}

/** The expression of a sum. */
export function sumExpr(type: ScalarType, sum: Sum): Expr {
  let out: Expr | undefined;
  // A positive term first spares a negation.
  const ordered = [...sum.terms.filter((term) => term.factor > 0), ...sum.terms.filter((term) => term.factor < 0)];
  for (const { x, factor } of ordered) {
    if (out === undefined) out = productOf(type, x, factor);
    else out = signedAdd(type, out, productOf(type, x, absolute(factor)), factor < 0);
  }
  const offset = sum.offset | 0;
  if (out === undefined) return constant(type, wrap(type, offset));
  if (offset === 0) return out;
  return signedAdd(type, out, constant(type, wrap(type, absolute(offset))), offset < 0);
}

/** x * factor */
export function productOf(type: ScalarType, x: Expr, factor: number): Expr {
  if (factor === 0) return constant(type, 0);
  if (factor === 1) return x;
  return node({ kind: "binary", type, op: "multiply", a: x, b: constant(type, wrap(type, factor)) });
}

function signedAdd(type: ScalarType, a: Expr, b: Expr, isNegative: boolean): Expr {
  return node({ kind: "binary", type, op: isNegative ? "subtract" : "add", a, b });
}

/** -2^31 stays as it is, which is right modulo 2^32. */
function absolute(factor: number): number {
  return Math.abs(factor) | 0;
}
