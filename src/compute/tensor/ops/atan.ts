import { unary } from "../../compiler/graph.ts";
import type { Node } from "../../compiler/ir.ts";
import { formulaOp } from "../formula-op.ts";
import { atLeast, choose, complement, isAbove, minus, over, plus, polynomial, quotient, times, withSignOf } from "../node-arithmetic.ts"; // prettier-ignore
import type { Tensor } from "../tensor.ts";

const TAN_EIGHTH_TURN = Math.SQRT2 - 1;
/** 1, -1/3, 1/5, ...: atan(t) / t in t^2, to 7e-9 for t <= tan(pi / 8). */
const TAYLOR: readonly number[] = Array.from({ length: 9 }, (_, n) => (n % 2 === 0 ? 1 : -1) / (2 * n + 1));

/** atan(x) for 0 <= x <= 1: beyond tan(pi / 8) it is pi / 4 + atan((x - 1) / (x + 1)). */
export function atanOfFraction(x: Node): Node {
  const isLarge = isAbove(x, TAN_EIGHTH_TURN);
  const t = choose(isLarge, over(minus(x, 1), plus(x, 1)), x);
  const angle = times(t, polynomial(times(t, t), TAYLOR));
  return choose(isLarge, plus(angle, Math.PI / 4), angle);
}

/** atan(|x|) = pi / 2 - atan(1 / |x|) for |x| > 1. */
function atanNode(x: Node): Node {
  const size = unary("abs", x);
  const isOutside = isAbove(size, 1);
  const angle = atanOfFraction(choose(isOutside, quotient(1, atLeast(size, 1)), size));
  return withSignOf(x, choose(isOutside, complement(Math.PI / 2, angle), angle));
}

/** The angle from -pi / 2 to pi / 2 of which x is the tangent. dL/dx = g / (1 + x^2). */
export const atan: (x: Tensor) => Tensor = formulaOp("atan", atanNode, ({ grad, x }) => grad.div(x.square().add(1)));
