import { unary } from "../../compiler/graph.ts";
import type { Node } from "../../compiler/ir.ts";
import { formulaOp } from "../formula-op.ts";
import { choose, complement, isBelow, isEqual, minus, over, plus, times, withSignOf } from "../node-arithmetic.ts";
import type { Tensor } from "../tensor.ts";
import { erfcNode } from "./erfc.ts";
import { log1pNode } from "./log1p.ts";

/** Of Winitzki's approximation of erf, which is exact at both ends ("A handy approximation", 2008). */
const WINITZKI = 0.147;
const HALF_SQRT_PI = Math.sqrt(Math.PI) / 2;

/** erf^-1 of 0 <= y < 1 to 2e-3: with w = log(1 - y^2) and h = 2 / (pi c) + w / 2, sqrt(sqrt(h^2 - w / c) - h). */
function roughly(y: Node): Node {
  const isSmall = isBelow(y, 0.6);
  const small = choose(isSmall, y, 0);
  const large = choose(isSmall, 0.6, y);
  const nearOne = unary("log", times(complement(1, large), plus(large, 1)));
  const w = choose(isSmall, log1pNode(unary("negate", times(small, small))), nearOne);
  const h = plus(times(w, 0.5), 2 / (Math.PI * WINITZKI));
  const rest = times(w, -1 / WINITZKI);
  const root = unary("sqrt", plus(times(h, h), rest));
  // Of the two equal forms, the one that does not subtract.
  const isPositive = isBelow(unary("negate", h), 0);
  return unary("sqrt", choose(isPositive, over(rest, choose(isPositive, plus(root, h), 1)), minus(root, h)));
}

/** One step of Halley's method for erf(x) = y, whose error is the cube of the one before; by erfc near 1. */
function erfinvNode(y: Node): Node {
  const size = unary("abs", y);
  const isInside = isBelow(size, 1);
  const target = choose(isInside, size, 0);
  const x = roughly(target);
  const error = choose(isBelow(target, 0.5), minus(unary("erf", x), target), minus(complement(1, target), erfcNode(x)));
  const newton = times(times(error, unary("exp", times(x, x))), HALF_SQRT_PI);
  const root = minus(x, over(newton, plus(times(x, newton), 1)));
  const atEnds = choose(isEqual(size, 1), Infinity, Number.NaN);
  return withSignOf(y, choose(isInside, root, atEnds));
}

/** The inverse of erf, infinite at -1 and 1 and NaN beyond. dL/dx = g * sqrt(pi) / 2 * e^(y^2). */
export const erfinv: (x: Tensor) => Tensor = formulaOp("erfinv", erfinvNode, ({ grad, y }) =>
  grad.mul(y.square().exp()).mul(HALF_SQRT_PI),
);
