import { unary } from "../../compiler/graph.ts";
import type { Node } from "../../compiler/ir.ts";
import { formulaOp } from "../formula-op.ts";
import { choose, complement, isAbove, isBelow, polynomial, times, withSignOf } from "../node-arithmetic.ts";
import type { Tensor } from "../tensor.ts";

/** (2n)! / (4^n n!^2 (2n + 1)): asin(s) / s in s^2, to 1e-9 for s <= 1/2. */
const TAYLOR: readonly number[] = taylor(13);

function taylor(terms: number): number[] {
  const out: number[] = [];
  for (let n = 0, binomial = 1; n < terms; n++, binomial *= (2 * n - 1) / (2 * n)) out.push(binomial / (2 * n + 1));
  return out;
}

interface Arc {
  /** |x| > 1/2 */
  readonly isLarge: Node;
  /** asin(|x|), or, where it is large, asin(sqrt((1 - |x|) / 2)): half of what is missing to pi / 2. */
  readonly angle: Node;
}

function arcOf(x: Node): Arc {
  const size = unary("abs", x);
  const isLarge = isAbove(size, 0.5);
  const square = choose(isLarge, times(complement(1, size), 0.5), times(size, size));
  const s = choose(isLarge, unary("sqrt", square), size);
  return { isLarge, angle: times(s, polynomial(square, TAYLOR)) };
}

function asinNode(x: Node): Node {
  const { isLarge, angle } = arcOf(x);
  return withSignOf(x, choose(isLarge, complement(Math.PI / 2, times(angle, 2)), angle));
}

function acosNode(x: Node): Node {
  const { isLarge, angle } = arcOf(x);
  const twice = times(angle, 2);
  const atEnds = choose(isBelow(x, 0), complement(Math.PI, twice), twice);
  return choose(isLarge, atEnds, complement(Math.PI / 2, withSignOf(x, angle)));
}

/** 1 / sqrt(1 - x^2) */
function slope(x: Tensor): Tensor {
  return x.neg().add(1).mul(x.add(1)).rsqrt();
}

/** The angle from -pi / 2 to pi / 2 of which x is the sine; NaN beyond 1. dL/dx = g / sqrt(1 - x^2). */
export const asin: (x: Tensor) => Tensor = formulaOp("asin", asinNode, ({ grad, x }) => grad.mul(slope(x)));

/** The angle from 0 to pi of which x is the cosine; NaN beyond 1. dL/dx = -g / sqrt(1 - x^2). */
export const acos: (x: Tensor) => Tensor = formulaOp("acos", acosNode, ({ grad, x }) => grad.mul(slope(x)).neg());
