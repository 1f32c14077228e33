/** Elementwise mathematics of one and two inputs. Values are drawn away from jumps and from where slopes are infinite. */
import fc from "fast-check";
import type { Tensor } from "../../../../src/compute/tensor/tensor.ts";
import { lerp } from "../../../../src/compute/tensor/ops/lerp.ts";
import { broadcastingShapes, elementwiseProperty, floats, integers } from "./draws.ts";
import type { Values } from "./draws.ts";
import { mapArrays } from "./nd-array.ts";
import { type OpProperty, testProperties } from "./op-property.ts";

/** erf by its series of positive terms. */
function erf(x: number): number {
  let term = x;
  let sum = x;
  for (let n = 1; n < 300; n++) {
    term *= (2 * x * x) / (2 * n + 1);
    sum += term;
  }
  return (2 / Math.sqrt(Math.PI)) * Math.exp(-x * x) * sum;
}

/** The inverse of a growing function, by bisection. */
function inverse(fn: (x: number) => number, y: number): number {
  let [low, high] = [-10, 10];
  for (let i = 0; i < 100; i++) {
    const middle = (low + high) / 2;
    if (fn(middle) < y) low = middle;
    else high = middle;
  }
  return low;
}

/** log Gamma(x) for x > -30, by the recurrence from Stirling's series at x + 60. */
function lgamma(x: number): number {
  let shift = 0;
  for (let k = 0; k < 60; k++) shift += Math.log(Math.abs(x + k));
  const z = x + 60;
  return (z - 0.5) * Math.log(z) - z + Math.log(2 * Math.PI) / 2 + 1 / (12 * z) - 1 / (360 * z ** 3) - shift;
}

/** The n-th derivative of digamma, by its series; digamma by a difference of lgamma. */
function polygamma(n: number, x: number): number {
  if (n === 0) return (lgamma(x + 1e-5) - lgamma(x - 1e-5)) / 2e-5;
  let factorial = 1;
  for (let k = 2; k <= n; k++) factorial *= k;
  return (n % 2 === 0 ? -1 : 1) * factorial * sumOfPowers(n + 1, x);
}

/** The sum of (x + k)^-s over k >= 0, with the integral of the rest. */
function sumOfPowers(s: number, x: number): number {
  let sum = 0;
  for (let k = 0; k < 20_000; k++) sum += (x + k) ** -s;
  return sum + (x + 20_000 - 0.5) ** (1 - s) / (s - 1);
}

type Unary = readonly [
  name: string,
  apply: (x: Tensor) => Tensor,
  oracle: (x: number) => number,
  values?: Values & Pick<OpProperty, "derivatives">,
];

const sinc = (x: number): number => (x === 0 ? 1 : Math.sin(Math.PI * x) / (Math.PI * x));
const wide = { low: -6, high: 6 };

const unary: Unary[] = [
  ["log1p", (x) => x.log1p(), Math.log1p, { low: -0.8, high: 5 }],
  ["expm1", (x) => x.expm1(), Math.expm1],
  ["log2", (x) => x.log2(), Math.log2, { low: 0.2, high: 9 }],
  ["log10", (x) => x.log10(), Math.log10, { low: 0.2, high: 9 }],
  ["exp2", (x) => x.exp2(), (x) => 2 ** x],
  ["logit", (x) => x.logit(), (x) => Math.log(x / (1 - x)), { low: 0.1, high: 0.9 }],
  ["tan", (x) => x.tan(), Math.tan, { low: -1.2, high: 1.2 }],
  ["asin", (x) => x.asin(), Math.asin, { low: -0.9, high: 0.9 }],
  ["acos", (x) => x.acos(), Math.acos, { low: -0.9, high: 0.9 }],
  ["atan", (x) => x.atan(), Math.atan, wide],
  ["sinh", (x) => x.sinh(), Math.sinh],
  ["cosh", (x) => x.cosh(), Math.cosh],
  ["asinh", (x) => x.asinh(), Math.asinh, wide],
  ["acosh", (x) => x.acosh(), Math.acosh, { low: 1.3, high: 5 }],
  ["atanh", (x) => x.atanh(), Math.atanh, { low: -0.8, high: 0.8 }],
  ["sinc", (x) => x.sinc(), sinc],
  ["erfc", (x) => x.erfc(), (x) => 1 - erf(x), { low: -3, high: 3 }],
  ["erfinv", (x) => x.erfinv(), (y) => inverse(erf, y), { low: -0.9, high: 0.9 }],
  ["lgamma", (x) => x.lgamma(), lgamma, { low: 0.4, high: 6 }],
  ["lgamma below 0", (x) => x.lgamma(), lgamma, { low: -3, high: -0.2, avoid: [-1, -2, -3], margin: 0.2 }],
  ["digamma", (x) => x.digamma(), (x) => polygamma(0, x), { low: 0.4, high: 6 }],
  ["digamma below 0", (x) => x.digamma(), (x) => polygamma(0, x), { low: -2, high: -0.2, avoid: [-1, -2], margin: 0.3 }],
  ["trigamma", (x) => x.polygamma(1), (x) => polygamma(1, x), { low: 0.5, high: 6 }],
  ["polygamma of order 2 below 0", (x) => x.polygamma(2), (x) => -2 * sumOfPowers(3, x), { low: -2, high: -0.2, avoid: [-1, -2], margin: 0.35 }],
  ["polygamma of order 3", (x) => x.polygamma(3), (x) => polygamma(3, x), { low: 0.8, high: 6 }],
  ["trunc", (x) => x.trunc(), Math.trunc, { ...wide, avoid: wholes(6) }],
  ["frac", (x) => x.frac(), (x) => x - Math.trunc(x), { ...wide, avoid: wholes(6) }],
  ["round to one decimal", (x) => x.round({ decimals: 1 }), (x) => Math.round(x * 10) / 10, { derivatives: 0, avoid: halves(0.1), margin: 0.001 }],
  ["round to tens", (x) => x.round({ decimals: -1 }), (x) => Math.round(x / 10) * 10, { low: -99, high: 99, derivatives: 0, avoid: halves(10) }],
  ["nanToNum of numbers", (x) => x.nanToNum(), (x) => x],
  ["clampMin", (x) => x.clampMin(-0.5), (x) => Math.max(x, -0.5), { avoid: [-0.5] }],
  ["clampMax", (x) => x.clampMax(0.7), (x) => Math.min(x, 0.7), { avoid: [0.7] }],
  ["clamp by arguments", (x) => x.clamp(-1, 0.5), (x) => Math.min(Math.max(x, -1), 0.5), { avoid: [-1, 0.5] }],
]; // prettier-ignore

function wholes(to: number): number[] {
  return Array.from({ length: 2 * to + 1 }, (_, i) => i - to);
}

function halves(step: number): number[] {
  return Array.from({ length: 200 }, (_, i) => (i - 99.5) * step);
}

type Binary = readonly [
  name: string,
  apply: (a: Tensor, b: Tensor) => Tensor,
  oracle: (a: number, b: number) => number,
  first?: Values,
  second?: Values,
];

const away: Values = { low: 0.6, high: 3 };
/** a / b is nowhere near a whole number: a = b * (k + f), f from 0.1 to 0.9. */
const quotients = (a: number, b: number): number => b * (Math.floor(a) + 0.1 + 0.8 * (a - Math.floor(a)));
const modulo = (a: number, b: number): number => a - b * Math.floor(a / b);

const binary: Binary[] = [
  ["atan2", (y, x) => y.atan2(x), Math.atan2, { avoid: [0], margin: 0.3 }, { avoid: [0], margin: 0.3 }],
  ["hypot", (a, b) => a.hypot(b), Math.hypot, { avoid: [0], margin: 0.3 }, { avoid: [0], margin: 0.3 }],
  ["logAddExp", (a, b) => a.logAddExp(b), (a, b) => Math.log(Math.exp(a) + Math.exp(b)), wide, wide],
  ["copysign", (a, b) => a.copysign(b), (a, b) => Math.abs(a) * Math.sign(b), { avoid: [0], margin: 0.1 }, { avoid: [0] }],
  ["remainder", (a, b) => remainderOf(a, b).remainder(b), (a, b) => modulo(quotients(a, b), b), wide, away],
  ["remainder by negative numbers", (a, b) => remainderOf(a, b.neg()).remainder(b.neg()), (a, b) => modulo(quotients(a, -b), -b), wide, away],
  ["fmod", (a, b) => remainderOf(a, b).fmod(b), (a, b) => quotients(a, b) % b, wide, away],
  ["floorDivide", (a, b) => remainderOf(a, b).floorDivide(b), (a) => Math.floor(a), { ...wide, avoid: wholes(6) }, away],
  ["division toward zero", (a, b) => remainderOf(a, b).div(b, { roundingMode: "trunc" }), (a, b) => Math.trunc(quotients(a, b) / b), { ...wide, avoid: wholes(6) }, away],
  ["max of two tensors", (a, b) => a.max(b), Math.max, { low: -2, high: 0 }, { low: 0.1, high: 2 }],
  ["heaviside", (a, b) => a.trunc().heaviside(b), (a, b) => (Math.trunc(a) === 0 ? b : a > 0 ? 1 : 0), { avoid: wholes(2) }],
  ["clamp by tensors", (a, b) => a.clamp({ min: b, max: b.add(1) }), (a, b) => Math.min(Math.max(a, b), b + 1), { low: 0.3, high: 0.6 }, { low: -2, high: 0.2, avoid: [-0.4, -0.5, -0.6], margin: 0.2 }],
]; // prettier-ignore

/** As `quotients`, by ops. */
function remainderOf(a: Tensor, b: Tensor): Tensor {
  const whole = a.floor();
  return b.mul(whole.add(0.1).add(a.sub(whole).mul(0.8)));
}

const pairs: OpProperty[] = binary.map(([name, apply, oracle, first, second]) => ({
  name,
  draws: fc.record({ shapes: broadcastingShapes(2), seed: fc.nat() }).map(({ shapes: [a = [], b = []], seed }) => ({
    inputs: [floats(a, seed, first), floats(b, seed + 1, second)],
    apply: ([x, y]) => apply(x as Tensor, y as Tensor),
    expected: (arrays) => mapArrays(oracle as (...values: number[]) => number, ...arrays),
  })),
}));

const triples: OpProperty[] = (
  [
    ["lerp", (a, b, c) => lerp(a, b, c), (a, b, c) => a + c * (b - a)],
    ["addcmul", (a, b, c) => a.addcmul(b, c, { value: 0.5 }), (a, b, c) => a + 0.5 * b * c],
    ["addcdiv", (a, b, c) => a.addcdiv(b, c, { value: -2 }), (a, b, c) => a - (2 * b) / c],
  ] satisfies [string, (a: Tensor, b: Tensor, c: Tensor) => Tensor, (a: number, b: number, c: number) => number][]
).map(([name, apply, oracle]) => ({
  name,
  draws: fc.record({ shapes: broadcastingShapes(3), seed: fc.nat() }).map(({ shapes: [a = [], b = [], c = []], seed }) => ({
    inputs: [floats(a, seed), floats(b, seed + 1), floats(c, seed + 2, { low: 0.6, high: 1.7 })],
    apply: ([x, y, z]) => apply(x as Tensor, y as Tensor, z as Tensor),
    expected: (arrays) => mapArrays(oracle as (...values: number[]) => number, ...arrays),
  })),
})); // prettier-ignore

type Whole = readonly [string, (a: Tensor, b: Tensor) => Tensor, (a: number, b: number) => number, low?: number];

const whole: OpProperty[] = (
  [
    ["bitwiseAnd", (a, b) => a.bitwiseAnd(b), (a, b) => a & b],
    ["bitwiseOr", (a, b) => a.bitwiseOr(b), (a, b) => a | b],
    ["bitwiseXor", (a, b) => a.bitwiseXor(b), (a, b) => a ^ b],
    ["bitwiseNot", (a, b) => a.bitwiseNot().add(b.sub(b)), (a) => ~a],
    ["bitwiseLeftShift", (a, b) => a.bitwiseLeftShift(b), (a, b) => (b > 31 ? 0 : a << b), 0],
    ["bitwiseRightShift", (a, b) => a.bitwiseRightShift(b), (a, b) => a >> Math.min(b, 31), 0],
    ["remainder of integers", (a, b) => a.remainder(b), (a, b) => (b === 0 ? 0 : modulo(a, b))],
    ["fmod of integers", (a, b) => a.fmod(b), (a, b) => (b === 0 ? 0 : a % b)],
    ["floorDivide of integers", (a, b) => a.floorDivide(b), (a, b) => (b === 0 ? a : Math.floor(a / b))],
    ["pow of integers", (a, b) => a.pow(b), (a, b) => Number(BigInt.asIntN(32, BigInt(a) ** BigInt(b))), 0],
    ["logicalXor of integers", (a, b) => a.logicalXor(b), (a, b) => Number((a !== 0) !== (b !== 0))],
  ] satisfies Whole[] as Whole[]
).map(([name, apply, oracle, low = -40]) => ({
  name,
  draws: fc.record({ shapes: broadcastingShapes(2), seed: fc.nat() }).map(({ shapes: [a = [], b = []], seed }) => ({
    inputs: [integers(a, seed, -50, 50), integers(b, seed + 1, low, 40)],
    apply: ([x, y]) => apply(x as Tensor, y as Tensor),
    expected: (arrays) => mapArrays(oracle as (...values: number[]) => number, ...arrays),
  })),
}));

testProperties(
  [
    ...unary.map(([name, apply, oracle, values]) => elementwiseProperty(name, apply, oracle, values)),
    ...pairs,
    ...triples,
    ...whole,
  ],
  { webGpuRuns: 1 },
);
