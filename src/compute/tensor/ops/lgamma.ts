import { unary } from "../../compiler/graph.ts";
import type { Node } from "../../compiler/ir.ts";
import { formulaOp } from "../formula-op.ts";
import { choose, complement, isAbove, isBelow, minus, over, plus, polynomial, quotient, times } from "../node-arithmetic.ts"; // prettier-ignore
import type { Tensor } from "../tensor.ts";
import { twoAtanhNode } from "./log1p.ts";
import { digamma, fromWhole } from "./polygamma.ts";

/**
 * Powers of x - 2, lowest first, of which the sum is log Gamma(x) / ((x - 1)(x - 2)) to 3e-8 relative for 1 <= x <= 3:
 * an interpolation at Chebyshev's points, computed with 30 digits.
 */
const MIDDLE = [
  0.422784335, -0.100317275, 0.0329649878, -0.0123849432, 0.00499899609, -0.00210224243, 0.000912594484,
  -0.000425154131, 0.000191739687, -5.28397356e-5, 2.38816073e-5, -3.85804752e-5, 1.80915131e-5,
];
/** B2j / (2j (2j - 1)): Stirling's series in 1 / x^2, to 4e-8 from x = 3 on. */
const STIRLING = [1 / 12, -1 / 360, 1 / 1260, -1 / 1680];
const HALF_LOG_TWO_PI = Math.log(2 * Math.PI) / 2;

/** log(x) that keeps its digits near 1. */
function logNode(x: Node): Node {
  const t = minus(x, 1);
  const isNear = isBelow(unary("abs", t), 0.4);
  const near = choose(isNear, t, 0);
  return choose(isNear, twoAtanhNode(over(near, plus(near, 2))), unary("log", x));
}

/** For x > 0: by Gamma(x) = Gamma(x + 1) / x below 1, a polynomial up to 3, and Stirling's series from there. */
function ofPositive(x: Node): Node {
  const isSmall = isBelow(x, 1);
  const isLarge = isAbove(x, 3);
  const small = choose(isSmall, x, 0.5);
  const middle = choose(isLarge, 2, x);
  const fromOne = choose(isSmall, small, minus(middle, 1));
  const fromTwo = choose(isSmall, minus(small, 1), minus(middle, 2));
  const fit = times(times(fromOne, fromTwo), polynomial(fromTwo, MIDDLE));
  const large = choose(isLarge, x, 3);
  const inverse = quotient(1, large);
  const series = times(inverse, polynomial(times(inverse, inverse), STIRLING));
  const growth = minus(times(minus(large, 0.5), minus(unary("log", large), 1)), 0.5 - HALF_LOG_TWO_PI);
  return choose(isLarge, plus(growth, series), choose(isSmall, minus(fit, logNode(small)), fit));
}

/** log |Gamma(x)| = log(pi / |sin(pi x)|) - log Gamma(1 - x) for x < 0. */
function lgammaNode(x: Node): Node {
  const isNegative = isBelow(x, 0);
  const sine = unary("abs", unary("sin", times(fromWhole(choose(isNegative, x, 0.5)), Math.PI)));
  const value = ofPositive(choose(isNegative, complement(1, x), x));
  return choose(isNegative, minus(unary("log", quotient(Math.PI, sine)), value), value);
}

/** log |Gamma(x)|, to about 1e-6 (absolute near its zeros below 0). dL/dx = g * digamma(x). */
export const lgamma: (x: Tensor) => Tensor = formulaOp("lgamma", lgammaNode, ({ grad, x }) => grad.mul(digamma(x)));
