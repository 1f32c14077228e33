/** The derivatives of log Gamma: digamma (order 0), trigamma (1), ... Each is the gradient of the one before. */
import { OptionError } from "../../../base/errors.ts";
import { unary } from "../../compiler/graph.ts";
import type { Node } from "../../compiler/ir.ts";
import { choose, complement, isAbove, isBelow, minus, over, plus, polynomial, quotient, times, withSignOf } from "../node-arithmetic.ts"; // prettier-ignore
import type { Op } from "../op.ts";
import { toFloat } from "../operands.ts";
import type { Tensor } from "../tensor.ts";
import { defineWideOp } from "../wide-op.ts";

/** x is raised by this with the recurrence; from there on the asymptotic series needs few terms. */
const SHIFT = 8;
/** Bernoulli's numbers B2, B4, ... */
const BERNOULLI = [1 / 6, -1 / 30, 1 / 42, -1 / 30];

/** x less the nearest whole number: pi times it is an angle with the same sine, but for the sign. */
export function fromWhole(x: Node): Node {
  return minus(x, unary("round", x));
}

/** psi(x) = log z - 1 / 2z - sum_j B2j / (2j z^2j) - sum_k 1 / (x + k), z = x + 8, for x > 0. */
function digammaOfPositive(x: Node): Node {
  const z = plus(x, SHIFT);
  const inverse = quotient(1, z);
  const square = times(inverse, inverse);
  let sum = minus(unary("log", z), times(inverse, 0.5));
  let power = square;
  for (const [j, b] of BERNOULLI.entries()) {
    sum = minus(sum, times(power, b / (2 * (j + 1))));
    power = times(power, square);
  }
  let recurrence = quotient(1, x);
  for (let k = 1; k < SHIFT; k++) recurrence = plus(recurrence, quotient(1, plus(x, k)));
  return minus(sum, recurrence);
}

/** The sum of (x + k)^-s over k >= 0, for x > 0 and whole s >= 2: eight terms, then Euler and Maclaurin's formula. */
function hurwitzZeta(s: number, x: Node): Node {
  let sum = raised(quotient(1, x), s);
  for (let k = 1; k < SHIFT; k++) sum = plus(sum, raised(quotient(1, plus(x, k)), s));
  const inverse = quotient(1, plus(x, SHIFT));
  const square = times(inverse, inverse);
  let power = raised(inverse, s);
  const start = times(raised(inverse, s - 1), 1 / (s - 1));
  let rest = plus(start, times(power, 0.5));
  let factor = s / 2; // s (s + 1) .. (s + 2j - 2) / (2j)!
  for (const [j, b] of BERNOULLI.entries()) {
    power = j === 0 ? times(power, inverse) : times(power, square);
    rest = plus(rest, times(power, b * factor));
    const even = 2 * (j + 1);
    factor *= ((s + even - 1) * (s + even)) / ((even + 1) * (even + 2));
  }
  return plus(sum, rest);
}

/** x^n for whole n >= 1. */
function raised(x: Node, n: number): Node {
  if (n === 1) return x;
  const half = raised(x, Math.floor(n / 2));
  const square = times(half, half);
  return n % 2 === 0 ? square : times(square, x);
}

/** (-1)^(n + 1) n! zeta(n + 1, x) for n >= 1, x > 0. */
function ofPositive(n: number, x: Node): Node {
  if (n === 0) return digammaOfPositive(x);
  let factor = n % 2 === 0 ? -1 : 1;
  for (let k = 2; k <= n; k++) factor *= k;
  return times(hurwitzZeta(n + 1, x), factor);
}

/** cot(pi x) for |x| <= 1/2: beyond 1/4 the tangent of what is missing to 1/2, which keeps its digits near 0. */
function cotangentNode(x: Node): Node {
  const size = unary("abs", x);
  const isFar = isAbove(size, 0.25);
  const angle = times(choose(isFar, complement(0.5, size), size), Math.PI);
  const tangent = over(unary("sin", angle), unary("cos", angle));
  return withSignOf(x, choose(isFar, tangent, quotient(1, choose(isFar, 1, tangent))));
}

/** The n-th derivative of cot(pi x) as a polynomial in c = cot(pi x), lowest power first: c' = -pi (1 + c^2). */
function cotangentDerivative(n: number): number[] {
  let powers = [0, 1];
  for (let k = 0; k < n; k++) {
    const slope = powers.slice(1).map((c, i) => -Math.PI * (i + 1) * c);
    powers = [...slope, 0, 0].map((c, i) => c + (slope[i - 2] ?? 0));
  }
  return powers;
}

/** For x < 0 by reflection, psi_n(x) = (-1)^n psi_n(1 - x) - pi * the n-th derivative of cot(pi x). */
function polygammaNode(n: number, x: Node): Node {
  const isNegative = isBelow(x, 0);
  const value = ofPositive(n, choose(isNegative, complement(1, x), x));
  const cotangent = cotangentNode(fromWhole(choose(isNegative, x, 0.25)));
  const mirrored = n % 2 === 0 ? value : unary("negate", value);
  const rest = times(polynomial(cotangent, cotangentDerivative(n)), Math.PI);
  return choose(isNegative, minus(mirrored, rest), value);
}

/** dL/dx = g * polygamma(n + 1, x). */
const op: Op<[Tensor], { n: number }> = defineWideOp<[Tensor], { n: number }>({
  name: "polygamma",
  forward: ([x], { n }) => polygammaNode(n, x),
  backward: ({ grad, inputs: [x], options: { n } }) => [grad.mul(op([x], { n: n + 1 }))],
});

/** The derivative of log Gamma(x). */
export function digamma(x: Tensor): Tensor {
  return op([toFloat(x)], { n: 0 });
}

/** The n-th derivative of digamma, to about 1e-6. @throws OptionError */
export function polygamma(n: number, x: Tensor): Tensor {
  if (!Number.isInteger(n) || n < 0 || n > 20) {
    throw new OptionError(`polygamma: expected an order from 0 to 20, found ${n}`);
  }
  return op([toFloat(x)], { n });
}
