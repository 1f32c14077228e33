/** Reductions and running results, over one axis, several and all; products with zeros among the factors. */
import fc from "fast-check";
import type { Tensor } from "../../../../src/compute/tensor/tensor.ts";
import { booleans, distinctFloats, floats, integers, shapes } from "./draws.ts";
import type { Values } from "./draws.ts";
import { at, ndArray, reduceArray } from "./nd-array.ts";
import type { NdArray } from "./nd-array.ts";
import { type OpDraw, type OpProperty, type PropertyInput, testProperties } from "./op-property.ts";

type Draw = (shape: readonly number[], seed: number) => PropertyInput;

const drawn =
  (values: Values = {}): Draw =>
  (shape, seed) =>
    floats(shape, seed, values);

/** Every third factor is 0. */
const withZeros: Draw = (shape, seed) => {
  const input = floats(shape, seed, { avoid: [0], margin: 0.2 });
  return { ...input, data: input.data.map((x, i) => ((i + seed) % 3 === 0 ? 0 : x)) };
};

/** Far apart, for roots and quotients of their differences. */
const spread: Draw = (shape, seed) => {
  const input = distinctFloats(shape, seed);
  return { ...input, data: input.data.map((x) => 10 * x) };
};

interface Reduction {
  readonly name: string;
  readonly apply: (x: Tensor, axes: number | readonly number[] | null, options: { keepDim: boolean }) => Tensor;
  readonly oracle: (values: number[]) => number;
  readonly input?: Draw;
  /** Sizes may be 0. */
  readonly allowsEmpty?: boolean;
  readonly derivatives?: 0 | 1 | 2;
}

const sum = (values: number[]): number => values.reduce((a, b) => a + b, 0);
const power = (p: number) => (values: number[]): number => sum(values.map((x) => Math.abs(x) ** p)) ** (1 / p); // prettier-ignore
const variance = (values: number[], correction = 1): number => {
  const mean = sum(values) / values.length;
  return sum(values.map((x) => (x - mean) ** 2)) / (values.length - correction);
};
const nonZero = drawn({ avoid: [0], margin: 0.2 });

const reductions: Reduction[] = [
  { name: "prod", apply: (x, a, o) => x.prod(a, o), oracle: (v) => v.reduce((a, b) => a * b, 1), allowsEmpty: true },
  { name: "prod with zeros", apply: (x, a, o) => x.prod(a, o), oracle: (v) => v.reduce((a, b) => a * b, 1), input: withZeros },
  { name: "norm", apply: (x, a, o) => x.norm(2, a, o), oracle: power(2), input: nonZero, allowsEmpty: true },
  { name: "norm of p = 1", apply: (x, a, o) => x.norm(1, a, o), oracle: power(1), input: nonZero, allowsEmpty: true },
  { name: "norm of p = 3", apply: (x, a, o) => x.norm(3, a, o), oracle: power(3), input: nonZero, allowsEmpty: true },
  { name: "norm of p = 1/2", apply: (x, a, o) => x.norm(0.5, a, o), oracle: power(0.5), input: drawn({ low: 0.5, high: 1.5 }) },
  { name: "norm of p = -1", apply: (x, a, o) => x.norm(-1, a, o), oracle: power(-1), input: drawn({ low: 0.5, high: 1.5 }) },
  { name: "norm of p = 0", apply: (x, a, o) => x.norm(0, a, o), oracle: (v) => v.filter((x) => x !== 0).length, input: withZeros, derivatives: 0 },
  { name: "norm of p = infinity", apply: (x, a, o) => x.norm(Infinity, a, o), oracle: (v) => Math.max(...v.map(Math.abs)), input: distinctFloats },
  { name: "norm of p = -infinity", apply: (x, a, o) => x.norm(-Infinity, a, o), oracle: (v) => Math.min(...v.map(Math.abs)), input: drawn({ low: 1, high: 9 }) },
  { name: "amax", apply: (x, a, o) => x.amax(a, o), oracle: (v) => Math.max(...v), input: distinctFloats },
  { name: "amin", apply: (x, a, o) => x.aminmax(a, o).min, oracle: (v) => Math.min(...v), input: distinctFloats },
  { name: "max", apply: (x, a, o) => x.max(a, o), oracle: (v) => Math.max(...v), input: distinctFloats },
  { name: "min", apply: (x, a, o) => x.min(a, o), oracle: (v) => Math.min(...v), input: distinctFloats },
  { name: "max of integers", apply: (x, a, o) => x.max(a, o), oracle: (v) => Math.max(...v), input: (s, seed) => integers(s, seed, -9, 9) },
  { name: "std", apply: (x, a, o) => x.std(a, { ...o, correction: 0 }).add(x.varMean(a, { ...o, correction: 0 })[1]), oracle: (v) => Math.sqrt(variance(v, 0)) + sum(v) / v.length, input: spread },
  { name: "nanSum", apply: (x, a, o) => x.nanSum(a, o), oracle: (v) => sum(v.filter((x) => !Number.isNaN(x))), input: withNaN, derivatives: 0, allowsEmpty: true },
  { name: "nanMean", apply: (x, a, o) => x.nanMean(a, o), oracle: (v) => { const kept = v.filter((x) => !Number.isNaN(x)); return kept.length === 0 ? Number.NaN : sum(kept) / kept.length; }, input: withNaN, derivatives: 0 },
  { name: "any", apply: (x, a, o) => x.any(a, o), oracle: (v) => Number(v.some((x) => x !== 0)), input: booleans, allowsEmpty: true },
  { name: "all", apply: (x, a, o) => x.all(a, o), oracle: (v) => Number(v.every((x) => x !== 0)), input: withZeros, allowsEmpty: true, derivatives: 0 },
  { name: "countNonzero", apply: (x, a, o) => (o.keepDim ? x.ne(0).sum(a, o) : x.countNonzero(a)), oracle: (v) => v.filter((x) => x !== 0).length, input: withZeros, allowsEmpty: true, derivatives: 0 },
  { name: "sum of integers", apply: (x, a, o) => x.sum(a, o), oracle: sum, input: (s, seed) => integers(s, seed, -9, 9), allowsEmpty: true },
]; // prettier-ignore

function withNaN(shape: readonly number[], seed: number): PropertyInput {
  const input = floats(shape, seed);
  return { ...input, data: input.data.map((x, i) => ((i + seed) % 3 === 0 ? Number.NaN : x)), hasGradient: false };
}

const fromOne = (shape: number[]): number[] => shape.map((size) => Math.max(1, size));

const reduced: OpProperty[] = reductions.map(({ name, apply, oracle, input = drawn(), allowsEmpty, derivatives }) => ({
  name,
  ...(derivatives === undefined ? {} : { derivatives }),
  draws: fc
    .record({ shape: shapes(1, 3), seed: fc.nat(), axis: fc.nat(), kind: fc.nat(3), keepDim: fc.boolean() })
    .map(({ shape, seed, axis, kind, keepDim }): OpDraw => {
      const sizes = allowsEmpty === true ? shape : fromOne(shape);
      const rank = sizes.length;
      const axes = kind === 0 ? null : kind === 1 ? [0, rank - 1].slice(0, rank) : (axis % rank) - rank;
      const list = axes === null ? sizes.map((_, i) => i) : [axes].flat();
      return {
        inputs: [input(sizes, seed)],
        apply: ([x]) => apply(x as Tensor, axes, { keepDim }),
        expected: ([x]) => reduceArray(x as NdArray, list, keepDim, oracle),
      };
    }),
}));

interface Running {
  readonly name: string;
  readonly apply: (x: Tensor, axis: number) => Tensor;
  /** Of an element and all before it. */
  readonly oracle: (values: number[]) => number;
  readonly input?: Draw;
}

const last = (values: number[], best: number): number => values.lastIndexOf(best);

const runnings: Running[] = [
  { name: "cumprod", apply: (x, a) => x.cumprod(a), oracle: (v) => v.reduce((a, b) => a * b, 1) },
  { name: "cumprod with zeros", apply: (x, a) => x.cumprod(a), oracle: (v) => v.reduce((a, b) => a * b, 1), input: withZeros },
  { name: "cummax", apply: (x, a) => x.cummax(a).values, oracle: (v) => Math.max(...v), input: distinctFloats },
  { name: "cummin", apply: (x, a) => x.cummin(a).values, oracle: (v) => Math.min(...v), input: distinctFloats },
  { name: "the indices of cummax", apply: (x, a) => x.cummax(a).indices, oracle: (v) => last(v, Math.max(...v)), input: (s, seed) => integers(s, seed, -2, 3) },
  { name: "the indices of cummin", apply: (x, a) => x.cummin(a).indices, oracle: (v) => last(v, Math.min(...v)), input: (s, seed) => integers(s, seed, -2, 3) },
  { name: "logCumSumExp", apply: (x, a) => x.logCumSumExp(a), oracle: (v) => Math.log(sum(v.map(Math.exp))), input: drawn({ low: -5, high: 5 }) },
]; // prettier-ignore

const scanned: OpProperty[] = runnings.map(({ name, apply, oracle, input = drawn() }) => ({
  name,
  draws: fc.record({ shape: shapes(1, 3), seed: fc.nat(), axis: fc.nat() }).map(({ shape, seed, axis }): OpDraw => {
    const along = axis % shape.length;
    return {
      inputs: [input(shape, seed)],
      apply: ([x]) => apply(x as Tensor, along - shape.length),
      expected: ([x]) =>
        ndArray(shape, (index) => {
          const until = (index[along] ?? 0) + 1;
          return oracle(Array.from({ length: until }, (_, k) => at(x as NdArray, index.with(along, k))));
        }),
    };
  }),
}));

testProperties([...reduced, ...scanned], { webGpuRuns: 1 });
