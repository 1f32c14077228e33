import { binary, bitcast, constant, unary } from "../../compiler/graph.ts";
import type { Node } from "../../compiler/ir.ts";
import { formulaOp } from "../formula-op.ts";
import { atLeast, atMost, choose, complement, isBelow, minus, plus, polynomial, quotient, times } from "../node-arithmetic.ts"; // prettier-ignore
import type { Tensor } from "../tensor.ts";

const TWO_OVER_SQRT_PI = 2 / Math.sqrt(Math.PI);
/** From here on float32 holds no erfc but 0. */
const X_MAX = 10.2;
/**
 * Powers of t - 0.45, t = 1 / (1 + x / 2), lowest first, of which the sum is e^(x^2) erfc(x) / t to 3e-8 relative for
 * 0.5 <= x <= 10.2: an interpolation at Chebyshev's points, computed with 30 digits.
 */
const TAIL = [
  0.477811416, 0.632442157, 0.534636018, 0.177360227, -0.142728908, -0.129937862, 0.0743105866, 0.0854083866,
  -0.0701760413, -0.0469998617, 0.0639622593,
];

/** e^(-x^2): the square of the upper bits of x is exact, and what remains is small. */
function gaussian(x: Node): Node {
  const upper = bitcast(binary("and", bitcast(x, "uint32"), constant(0xfffff000, x.shape, "uint32")), "float32");
  const rest = times(minus(x, upper), plus(x, upper));
  return times(unary("exp", unary("negate", times(upper, upper))), unary("exp", unary("negate", rest)));
}

/** 1 - erf(x) below 0.5, where that loses nothing; beyond, e^(-x^2) times a polynomial. */
export function erfcNode(x: Node): Node {
  const beyond = atMost(atLeast(x, 0.5), X_MAX);
  const t = quotient(1, plus(times(beyond, 0.5), 1));
  const tail = times(times(gaussian(beyond), t), polynomial(minus(t, 0.45), TAIL));
  return choose(isBelow(x, 0.5), complement(1, unary("erf", x)), choose(isBelow(x, X_MAX), tail, 0));
}

/** 1 - erf(x), with its digits where it is small. dL/dx = -g * 2 / sqrt(pi) * e^(-x^2). */
export const erfc: (x: Tensor) => Tensor = formulaOp("erfc", erfcNode, ({ grad, x }) =>
  grad.mul(x.square().neg().exp()).mul(-TWO_OVER_SQRT_PI),
);
