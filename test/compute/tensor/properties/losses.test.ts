/** Losses against plain loops over elements and samples, and what they refuse. */
import fc from "fast-check";
import { afterAll, beforeEach, expect, test } from "vitest";
import { OptionError, ShapeError, UnsupportedError } from "../../../../src/base/errors.ts";
import { ReferenceDevice } from "../../../../src/compute/device/reference/reference-device.ts";
import { createRuntime } from "../../../../src/compute/runtime/graph-runtime.ts";
import { grad } from "../../../../src/compute/tensor/autograd.ts";
import { tensor, zeros } from "../../../../src/compute/tensor/create.ts";
import { setDefaultRuntime } from "../../../../src/compute/tensor/runtime-scope.ts";
import type { Tensor } from "../../../../src/compute/tensor/tensor.ts";
import * as F from "../../../../src/functional.ts";
import { broadcastingShapes, floats, integers, shapes, type Values } from "./draws.ts";
import { at, broadcastAt, broadcastShape, mapArrays, ndArray, type NdArray } from "./nd-array.ts";
import { type OpDraw, type OpProperty, type PropertyInput, testProperties } from "./op-property.ts";

type Reduction = "mean" | "sum" | "none";
type Loss = (inputs: readonly Tensor[], options: { readonly reduction: Reduction }) => Tensor;

const reductions = fc.constantFrom<Reduction>("mean", "sum", "none");

function reduced(each: NdArray, reduction: Reduction, count = each.data.length): NdArray {
  if (reduction === "none") return each;
  const sum = each.data.reduce((a, b) => a + b, 0);
  return ndArray([], () => (reduction === "sum" ? sum : sum / count));
}

/** A loss of elements, all of one shape that has no size 0 (their mean is not a number). */
function elementwise(
  name: string,
  values: readonly Values[],
  apply: Loss,
  oracle: (...values: number[]) => number,
): OpProperty {
  const full = shapes(0, 3).map((shape) => shape.map((n) => Math.max(1, n)));
  const draws = fc.record({ shape: full, seed: fc.nat(), reduction: reductions });
  return {
    name,
    draws: draws.map(({ shape, seed, reduction }): OpDraw => ({
      inputs: values.map((range, i) => floats(shape, seed + i, range)),
      apply: (inputs) => apply(inputs, { reduction }),
      expected: (arrays) => reduced(mapArrays(oracle, ...arrays), reduction),
    })),
  };
}

/** Inputs far enough apart that no difference is near a kink at 0 or +-`kink`. */
const FAR: readonly Values[] = [
  { low: -2, high: 2 },
  { low: 2.6, high: 4.5 },
];
const ANY: readonly Values[] = [{}, {}];
const SHARE: Values = { low: 0.05, high: 0.95 };

const huber = (d: number, delta: number): number =>
  Math.abs(d) <= delta ? (d * d) / 2 : delta * (Math.abs(d) - delta / 2);
const softplus = (x: number): number => Math.log1p(Math.exp(x));

const elements: readonly OpProperty[] = [
  elementwise("mseLoss", ANY, ([x, y], o) => F.mseLoss(x as Tensor, y as Tensor, o), (x = 0, y = 0) => (x - y) ** 2),
  elementwise("l1Loss", FAR, ([x, y], o) => F.l1Loss(x as Tensor, y as Tensor, o), (x = 0, y = 0) => Math.abs(x - y)),
  elementwise("huberLoss, beyond delta", FAR, ([x, y], o) => F.huberLoss(x as Tensor, y as Tensor, { ...o, delta: 0.4 }), (x = 0, y = 0) => huber(x - y, 0.4)),
  elementwise("huberLoss, within delta", ANY, ([x, y], o) => F.huberLoss(x as Tensor, y as Tensor, { ...o, delta: 4.5 }), (x = 0, y = 0) => huber(x - y, 4.5)),
  elementwise("smoothL1Loss, beyond beta", FAR, ([x, y], o) => F.smoothL1Loss(x as Tensor, y as Tensor, { ...o, beta: 0.5 }), (x = 0, y = 0) => huber(x - y, 0.5) / 0.5),
  elementwise("smoothL1Loss, within beta", ANY, ([x, y], o) => F.smoothL1Loss(x as Tensor, y as Tensor, { ...o, beta: 5 }), (x = 0, y = 0) => huber(x - y, 5) / 5),
  elementwise("smoothL1Loss with beta 0", FAR, ([x, y], o) => F.smoothL1Loss(x as Tensor, y as Tensor, { ...o, beta: 0 }), (x = 0, y = 0) => Math.abs(x - y)),
  elementwise("bce", [SHARE, SHARE, {}], ([p, y, w], o) => F.bce(p as Tensor, y as Tensor, { ...o, weight: w as Tensor }), (p = 0, y = 0, w = 0) => -w * (y * Math.log(p) + (1 - y) * Math.log(1 - p))),
  elementwise("bceWithLogits", [{ low: -4, high: 4 }, SHARE], ([x, y], o) => F.bceWithLogits(x as Tensor, y as Tensor, o), (x = 0, y = 0) => y * softplus(-x) + (1 - y) * softplus(x)),
  elementwise("bceWithLogits, weighted", [{}, SHARE, {}, {}], ([x, y, w, p], o) => F.bceWithLogits(x as Tensor, y as Tensor, { ...o, weight: w as Tensor, posWeight: p as Tensor }), (x = 0, y = 0, w = 0, p = 0) => w * (p * y * softplus(-x) + (1 - y) * softplus(x))),
  elementwise("klDiv", [{}, SHARE], ([x, t], o) => F.klDiv(x as Tensor, t as Tensor, o), (x = 0, t = 0) => t * (Math.log(t) - x)),
  elementwise("klDiv of log targets", ANY, ([x, t], o) => F.klDiv(x as Tensor, t as Tensor, { ...o, logTarget: true }), (x = 0, t = 0) => Math.exp(t) * (t - x)),
  elementwise("softMarginLoss", ANY, ([x, y], o) => F.softMarginLoss(x as Tensor, y as Tensor, o), (x = 0, y = 0) => softplus(-x * y)),
  elementwise("poissonNllLoss of logarithms", [{}, { low: 0, high: 4, avoid: [1] }], ([x, y], o) => F.poissonNllLoss(x as Tensor, y as Tensor, { ...o, full: true }), (x = 0, y = 0) => Math.exp(x) - y * x + stirling(y)),
  elementwise("poissonNllLoss of rates", [{ low: 0.3, high: 3 }, { low: 0, high: 4 }], ([x, y], o) => F.poissonNllLoss(x as Tensor, y as Tensor, { ...o, logInput: false, eps: 0.01 }), (x = 0, y = 0) => x - y * Math.log(x + 0.01)),
  elementwise("gaussianNllLoss", [{}, {}, { low: 0.4, high: 2 }], ([x, y, v], o) => F.gaussianNllLoss(x as Tensor, y as Tensor, v as Tensor, { ...o, full: true }), (x = 0, y = 0, v = 1) => (Math.log(v) + (x - y) ** 2 / v + Math.log(2 * Math.PI)) / 2),
]; // prettier-ignore

function stirling(y: number): number {
  return y > 1 ? y * Math.log(y) - y + Math.log(2 * Math.PI * y) / 2 : 0;
}

/** 1 or -1 (and 0, which some targets may be) for each element, a function of `seed`. */
function signs(shape: readonly number[], seed: number, low = 0): PropertyInput {
  const drawn = integers(shape, seed, low, 2);
  return { shape, data: drawn.data.map((x) => (x === 0 ? -1 : x === 1 ? 1 : 0)), hasGradient: false };
}

const signed: readonly OpProperty[] = [
  {
    name: "marginRankingLoss",
    draws: fc.record({ shapes: broadcastingShapes(2), seed: fc.nat(), isFar: fc.boolean() }).map(({ shapes: [a = [], b = []], seed, isFar }) => ({
      inputs: [floats(a, seed, { low: 0, high: 1 }), floats(b, seed + 1, { low: 2, high: 3 }), signs(b, seed + 2)],
      apply: ([x, y, t]) => F.marginRankingLoss(x as Tensor, y as Tensor, t as Tensor, { margin: isFar ? 0.9 : 0, reduction: "none" }),
      expected: (arrays) => mapArrays((x = 0, y = 0, t = 0) => Math.max(0, -t * (x - y) + (isFar ? 0.9 : 0)), ...arrays),
    })),
  },
  {
    name: "hingeEmbeddingLoss",
    draws: fc.record({ shape: shapes(), seed: fc.nat() }).map(({ shape, seed }) => ({
      inputs: [floats(shape, seed, { avoid: [0.7] }), signs(shape, seed + 1, -1)],
      apply: ([x, y]) => F.hingeEmbeddingLoss(x as Tensor, y as Tensor, { margin: 0.7, reduction: "none" }),
      expected: (arrays) => mapArrays((x = 0, y = 0) => (y === -1 ? 0 : x) + (y === 1 ? 0 : Math.max(0, 0.7 - x)), ...arrays),
    })),
  },
]; // prettier-ignore

interface Classes {
  readonly batch: readonly number[];
  readonly classes: number;
  readonly seed: number;
  readonly reduction: Reduction;
  readonly isWeighted: boolean;
  readonly isLast: boolean;
  readonly smoothing: number;
}

const classCases: fc.Arbitrary<Classes> = fc.record({
  batch: fc.array(fc.integer({ min: 1, max: 4 }), { maxLength: 3 }),
  classes: fc.integer({ min: 1, max: 4 }),
  seed: fc.nat(),
  reduction: reductions,
  isWeighted: fc.boolean(),
  isLast: fc.boolean(),
  smoothing: fc.constantFrom(0, 0.2),
});

/** Axis 1, as PyTorch has it, or the last. */
function classAxis({ batch, isLast }: Classes): number {
  return isLast ? batch.length : Math.min(1, batch.length);
}

function withClass(c: Classes, index: readonly number[], at: number): number[] {
  const axis = classAxis(c);
  return [...index.slice(0, axis), at, ...index.slice(axis)];
}

function logSoftmaxAt(x: NdArray, c: Classes, index: readonly number[], at_: number): number {
  const values = Array.from({ length: c.classes }, (_, i) => at(x, withClass(c, index, i)));
  return at(x, withClass(c, index, at_)) - Math.log(values.reduce((sum, value) => sum + Math.exp(value), 0));
}

/** Losses of samples with weights, and class 0 ignored. */
function classLoss(
  c: Classes,
  [x, targets, weight]: readonly NdArray[],
  logs: (x: NdArray, index: readonly number[], at: number) => number,
): NdArray {
  const weightOf = (i: number): number => (weight === undefined ? 1 : at(weight, [i]));
  let total = 0;
  const each = ndArray(c.batch, (index) => {
    const target = at(targets as NdArray, index);
    if (target === 0) return 0;
    total += weightOf(target);
    let spread = 0;
    for (let i = 0; i < c.classes; i++) spread -= (weightOf(i) * logs(x as NdArray, index, i)) / c.classes;
    return -(1 - c.smoothing) * weightOf(target) * logs(x as NdArray, index, target) + c.smoothing * spread;
  });
  return reduced(each, c.reduction, total);
}

const WEIGHT: Values = { low: 0.3, high: 2 };

function classInputs(c: Classes): PropertyInput[] {
  const targets = integers(c.batch, c.seed + 1, 0, c.classes);
  // At least one sample counts: a mean over none is not a number.
  const data = c.classes > 1 ? [1, ...targets.data.slice(1)] : targets.data;
  const inputs = [floats(withClass(c, c.batch, c.classes), c.seed), { ...targets, data }];
  return c.isWeighted ? [...inputs, { ...floats([c.classes], c.seed + 2, WEIGHT), hasGradient: false }] : inputs;
}

const ofClasses: readonly OpProperty[] = [
  {
    name: "crossEntropy of class numbers",
    draws: classCases.filter((c) => c.classes > 1).map((c) => ({
      inputs: classInputs(c),
      apply: ([x, t, w]) => F.crossEntropy(x as Tensor, t as Tensor, { weight: w ?? null, ignoreIndex: 0, labelSmoothing: c.smoothing, reduction: c.reduction, axis: classAxis(c) }),
      expected: (arrays) => classLoss(c, arrays, (x, index, i) => logSoftmaxAt(x, c, index, i)),
    })),
  },
  {
    name: "nllLoss",
    draws: classCases.filter((c) => c.classes > 1 && !c.isLast).map((drawn) => ({ ...drawn, smoothing: 0 })).map((c) => ({
      inputs: classInputs(c),
      apply: ([x, t, w]) => F.nllLoss(x as Tensor, t as Tensor, { weight: w ?? null, ignoreIndex: 0, reduction: c.reduction }),
      expected: (arrays) => classLoss(c, arrays, (x, index, i) => at(x, withClass(c, index, i))),
    })),
  },
  {
    name: "crossEntropy of probabilities",
    draws: classCases.filter((c) => !c.isLast).map((c) => ({
      inputs: [
        floats(withClass(c, c.batch, c.classes), c.seed),
        floats(withClass(c, c.batch, c.classes), c.seed + 1, { low: 0, high: 1 }),
        ...(c.isWeighted ? [floats([c.classes], c.seed + 2, WEIGHT)] : []),
      ],
      apply: ([x, t, w]) => F.crossEntropy(x as Tensor, t as Tensor, { weight: w ?? null, labelSmoothing: c.smoothing, reduction: c.reduction }),
      expected: ([x, t, w]) => reduced(ndArray(c.batch, (index) => {
        let sum = 0;
        for (let i = 0; i < c.classes; i++) {
          const share = at(t as NdArray, withClass(c, index, i)) * (1 - c.smoothing) + c.smoothing / c.classes;
          sum -= (w === undefined ? 1 : at(w, [i])) * share * logSoftmaxAt(x as NdArray, c, index, i);
        }
        return sum;
      }), c.reduction),
    })),
  },
  {
    name: "multiMarginLoss",
    draws: classCases.filter((c) => c.batch.length < 2).map((c) => ({
      inputs: classInputs({ ...c, isLast: true }),
      apply: ([x, t, w]) => F.multiMarginLoss(x as Tensor, t as Tensor, { weight: w ?? null, margin: 5, p: c.isLast ? 2 : 1, reduction: c.reduction }),
      expected: ([x, t, w]) => reduced(ndArray(c.batch, (index) => {
        const target = at(t as NdArray, index);
        let sum = 0;
        for (let i = 0; i < c.classes; i++) {
          const over = Math.max(0, 5 - at(x as NdArray, [...index, target]) + at(x as NdArray, [...index, i]));
          if (i !== target) sum += (w === undefined ? 1 : at(w, [target])) * (c.isLast ? over * over : over);
        }
        return sum / c.classes;
      }), c.reduction),
    })),
  },
]; // prettier-ignore

interface Vectors {
  readonly shapes: readonly number[][];
  readonly seed: number;
  readonly p: number;
  readonly swap: boolean;
}

const vectors = (count: number): fc.Arbitrary<Vectors> =>
  fc.record({
    shapes: broadcastingShapes(count).map((list) => list.map((shape) => [...shape, 3])),
    seed: fc.nat(),
    p: fc.constantFrom(1, 2, 3, Infinity),
    swap: fc.boolean(),
  });

const RANGES: readonly Values[] = [
  { low: 0, high: 1 },
  { low: 1.5, high: 2.5 },
  { low: 3, high: 4 },
];

function distance(x: NdArray, y: NdArray, index: readonly number[], p: number): number {
  const parts = [0, 1, 2].map((d) => Math.abs(broadcastAt(x, [...index, d]) - broadcastAt(y, [...index, d]) + 1e-6));
  return p === Infinity ? Math.max(...parts) : parts.reduce((sum, part) => sum + part ** p, 0) ** (1 / p);
}

const ofVectors: readonly OpProperty[] = [
  {
    name: "pairwiseDistance",
    draws: vectors(2).map(({ shapes: [a = [], b = []], seed, p }) => ({
      inputs: [floats(a, seed, RANGES[0]), floats(b, seed + 1, RANGES[1])],
      apply: ([x, y]) => F.pairwiseDistance(x as Tensor, y as Tensor, { p }),
      expected: ([x, y]) => ndArray(broadcastShape(a, b).slice(0, -1), (index) => distance(x as NdArray, y as NdArray, index, p)),
    })),
  },
  {
    name: "tripletMarginLoss",
    draws: vectors(3).map(({ shapes: [a = [], b = [], c = []], seed, p, swap }) => ({
      inputs: [a, b, c].map((shape, i) => floats(shape, seed + i, RANGES[i])),
      apply: ([x, y, z]) => F.tripletMarginLoss(x as Tensor, y as Tensor, z as Tensor, { p, swap, margin: 9, reduction: "none" }),
      expected: ([x, y, z]) => ndArray(broadcastShape(a, b, c).slice(0, -1), (index) => {
        const direct = distance(x as NdArray, z as NdArray, index, p);
        const far = swap ? Math.min(direct, distance(y as NdArray, z as NdArray, index, p)) : direct;
        return Math.max(0, 9 + distance(x as NdArray, y as NdArray, index, p) - far);
      }),
    })),
  },
  {
    name: "cosineSimilarity",
    draws: vectors(2).map(({ shapes: [a = [], b = []], seed }) => ({
      inputs: [floats(a, seed), floats(b, seed + 1)],
      apply: ([x, y]) => F.cosineSimilarity(x as Tensor, y as Tensor, -1),
      expected: ([x, y]) => ndArray(broadcastShape(a, b).slice(0, -1), (index) => cosine(x as NdArray, y as NdArray, index)),
    })),
  },
  {
    name: "cosineEmbeddingLoss",
    draws: fc.record({ batch: fc.array(fc.integer({ min: 0, max: 4 }), { maxLength: 1 }), seed: fc.nat() }).map(({ batch, seed }) => ({
      inputs: [floats([...batch, 3], seed, { low: 0.2, high: 1 }), floats([...batch, 3], seed + 1, { low: 0.2, high: 1 }), signs(batch, seed + 2)],
      apply: ([x, y, t]) => F.cosineEmbeddingLoss(x as Tensor, y as Tensor, t as Tensor, { margin: 0.1, reduction: "none" }),
      expected: ([x, y, t]) => ndArray(batch, (index) => {
        const found = cosine(x as NdArray, y as NdArray, index);
        return at(t as NdArray, index) === 1 ? 1 - found : Math.max(0, found - 0.1);
      }),
    })),
  },
]; // prettier-ignore

function cosine(x: NdArray, y: NdArray, index: readonly number[]): number {
  const dot = (a: NdArray, b: NdArray): number =>
    [0, 1, 2].reduce((sum, d) => sum + broadcastAt(a, [...index, d]) * broadcastAt(b, [...index, d]), 0);
  return dot(x, y) / Math.sqrt(dot(x, x) * dot(y, y));
}

testProperties([...elements, ...signed, ...ofClasses, ...ofVectors], { runs: 12, webGpuRuns: 1 });

const runtime = createRuntime(new ReferenceDevice());
beforeEach(() => setDefaultRuntime(runtime));
afterAll(() => {
  setDefaultRuntime(null);
  runtime.destroy();
});

const close = async (found: Tensor, wanted: readonly number[]): Promise<void> => {
  const data = await found.data();
  expect(data.length).toBe(wanted.length);
  wanted.forEach((x, i) => expect(data[i]).toBeCloseTo(x, 5));
};

test("bce of probabilities 0 and 1 stays finite, and so does its gradient", async () => {
  const p = tensor([0, 0, 1, 1], { requiresGrad: true });
  const loss = F.bce(p, tensor([0, 1, 0, 1]), { reduction: "none" });
  await close(loss, [0, 100, 100, 0]);
  const [slope] = grad(loss.sum(), [p]);
  const data = await (slope as Tensor).data();
  expect([...data].map((x) => x / 1e12)).toEqual([0, -1, 1, 0].map((x) => expect.closeTo(x, 5) as number));
});

test("bceWithLogits of logits 0 has the slope sigmoid(0) - y, and large logits do not overflow", async () => {
  const x = tensor([0, 0, 200, -200], { requiresGrad: true });
  const loss = F.bceWithLogits(x, tensor([0, 1, 0, 1]), { reduction: "none" });
  await close(loss, [Math.LN2, Math.LN2, 200, 200]);
  const [slope] = grad(loss.sum(), [x]);
  await close(slope as Tensor, [0.5, -0.5, 1, -1]);
});

test("klDiv: batchmean divides by the batch, and targets of 0 add nothing", async () => {
  const t = tensor([[0, 1, 0], [0.5, 0.5, 0]]); // prettier-ignore
  await close(F.klDiv(zeros([2, 3]), t, { reduction: "batchmean" }), [Math.log(0.5) / 2]);
});

test("crossEntropy takes classes on axis 1 where that fits, else on the last", async () => {
  const logits = tensor({ shape: [2, 3, 4], data: Float32Array.from({ length: 24 }, (_, i) => Math.sin(i * i)) });
  const [four, three] = [tensor({ shape: [2, 4], data: new Int32Array(8).fill(1) }), tensor({ shape: [2, 3], data: new Int32Array(6).fill(1) })]; // prettier-ignore
  const [a, b, c] = await Promise.all([
    F.crossEntropy(logits, four).item(),
    F.crossEntropy(logits.transpose(1, 2), four).item(),
    F.crossEntropy(logits, three).item(),
  ]);
  expect(a).toBeCloseTo(b, 6);
  expect(c).not.toBeCloseTo(a, 3);
});

test("a vector of zeros has the cosine 0 with all, and a finite gradient", async () => {
  const x = tensor([[0, 0]], { requiresGrad: true });
  const cosine = F.cosineSimilarity(x, tensor([[1, 2]]));
  await close(cosine, [0]);
  const [slope] = grad(cosine.sum(), [x]);
  expect([...(await (slope as Tensor).data())].every(Number.isFinite)).toBe(true);
});

test("gaussianNllLoss takes variances without the last axis, and bounds small ones but not their gradients", async () => {
  const [x, y] = [tensor([[1, 2], [3, 4]]), tensor([[1, 1], [3, 3]])]; // prettier-ignore
  const v = tensor([0, 1], { requiresGrad: true });
  const loss = F.gaussianNllLoss(x, y, v, { eps: 0.5, reduction: "none" });
  await close(loss, [Math.log(0.5) / 2, Math.log(0.5) / 2 + 1, 0, 0.5]);
  const [slope] = grad(loss.sum(), [v]);
  await close(slope as Tensor, [(2 / 0.5 - 1 / 0.25) / 2, (2 - 1) / 2]);
});

test.each([
  ["shapes of a pair", () => F.mseLoss(zeros([2]), zeros([2, 1])), ShapeError, "mseLoss: expected two equal shapes, found [2] and [2, 1]"],
  ["a delta of 0", () => F.huberLoss(zeros([2]), zeros([2]), { delta: 0 }), OptionError, "huberLoss: expected delta above 0, found 0"],
  ["a beta below 0", () => F.smoothL1Loss(zeros([2]), zeros([2]), { beta: -1 }), OptionError, "smoothL1Loss: expected beta from 0, found -1"],
  ["a reduction", () => F.bce(zeros([2]), zeros([2]), { reduction: "most" as "mean" }), OptionError, "bce: expected a reduction of mean, sum or none, found most"],
  ["batchmean without a batch", () => F.klDiv(zeros([]), zeros([]), { reduction: "batchmean" }), ShapeError, "klDiv: expected a batch for batchmean, found the shape []"],
  ["class numbers that do not fit", () => F.crossEntropy(zeros([2, 3]), zeros([3], { dtype: "int32" })), ShapeError, "crossEntropy: expected [N, C, ..] and targets [N, ..], found [2, 3] and [3]"],
  ["probabilities that do not fit", () => F.crossEntropy(zeros([2, 3]), zeros([2])), ShapeError, "crossEntropy: expected int32 classes, or probabilities in the logits' shape [2, 3], found float32 [2]"],
  ["weights of classes", () => F.nllLoss(zeros([2, 3]), zeros([2], { dtype: "int32" }), { weight: zeros([2]) }), ShapeError, "nllLoss: expected a weight for each of 3 classes, found [2]"],
  ["class numbers that are no integers", () => F.nllLoss(zeros([2, 3]), zeros([2])), UnsupportedError, "nllLoss: expected integer indices, found float32"],
  ["a smoothing above 1", () => F.crossEntropy(zeros([2, 3]), zeros([2], { dtype: "int32" }), { labelSmoothing: 2 }), OptionError, "crossEntropy: expected labelSmoothing from 0 to 1, found 2"],
  ["a norm below 1", () => F.pairwiseDistance(zeros([2]), zeros([2]), { p: 0.5 }), OptionError, "pairwiseDistance: expected p from 1, found 0.5"],
  ["variances that do not fit", () => F.gaussianNllLoss(zeros([2, 3]), zeros([2, 3]), zeros([3])), ShapeError, "gaussianNllLoss: expected variances for [2, 3] or for all but its last axis, found [3]"],
  ["a power of margins", () => F.multiMarginLoss(zeros([2, 3]), zeros([2], { dtype: "int32" }), { p: 3 as 1 }), OptionError, "multiMarginLoss: expected p 1 or 2, found 3"],
  ["targets of cosines", () => F.cosineEmbeddingLoss(zeros([2, 3]), zeros([2, 3]), zeros([3])), ShapeError, "cosineEmbeddingLoss: expected [N, D] and targets [N], or [D] and [], found [2, 3] and [3]"],
  ["CTC", () => F.ctcLoss(zeros([2, 3])), UnsupportedError, "ctcLoss: expected another loss, found one that is left out"],
] as const)("a loss refuses %s in one sentence", (_, call, kind, message) => {
  expect(call).toThrow(kind);
  expect(call).toThrow(message);
}); // prettier-ignore
