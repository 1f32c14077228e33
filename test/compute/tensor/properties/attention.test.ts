/** Attention against plain loops over queries and keys, and against its formula. */
import fc from "fast-check";
import { expect, test } from "vitest";
import { OptionError, ShapeError, UnsupportedError } from "../../../../src/base/errors.ts";
import { NullDevice } from "../../../../src/compute/device/null/null-device.ts";
import { ReferenceDevice } from "../../../../src/compute/device/reference/reference-device.ts";
import { createRuntime } from "../../../../src/compute/runtime/graph-runtime.ts";
import { grad } from "../../../../src/compute/tensor/autograd.ts";
import { ones, tensor, zeros } from "../../../../src/compute/tensor/create.ts";
import { arange } from "../../../../src/compute/tensor/create-ranges.ts";
import { Generator } from "../../../../src/compute/tensor/generator.ts";
import { composedAttention } from "../../../../src/compute/tensor/ops/composed-attention.ts";
import { dropout } from "../../../../src/compute/tensor/ops/dropout.ts";
import { fusedAttention } from "../../../../src/compute/tensor/ops/fused-attention.ts";
import {
  scaledDotProductAttention,
  type AttentionOptions,
} from "../../../../src/compute/tensor/ops/scaled-dot-product-attention.ts";
import { setDefaultRuntime, withRuntime } from "../../../../src/compute/tensor/runtime-scope.ts";
import { Tensor } from "../../../../src/compute/tensor/tensor.ts";
import { booleans, floats } from "./draws.ts";
import { at, broadcastAt, ndArray } from "./nd-array.ts";
import type { NdArray } from "./nd-array.ts";
import { type OpDraw, type OpProperty, type PropertyInput, testProperties } from "./op-property.ts";

interface Case {
  readonly lead: readonly number[];
  readonly keyHeads: number;
  readonly group: number;
  readonly queries: number;
  readonly keys: number;
  readonly depth: number;
  readonly width: number;
  readonly causal: boolean;
  readonly queryOffset: number;
  readonly scale: number | undefined;
  /** Which axes of the mask repeat. */
  readonly ones: readonly boolean[];
  readonly seed: number;
}

type MaskKind = "none" | "bool" | "float" | "bool and bias";

const cases: fc.Arbitrary<Case> = fc.record({
  lead: fc.array(fc.integer({ min: 1, max: 2 }), { maxLength: 1 }),
  keyHeads: fc.integer({ min: 1, max: 2 }),
  group: fc.integer({ min: 1, max: 2 }),
  queries: fc.integer({ min: 0, max: 5 }),
  keys: fc.integer({ min: 0, max: 5 }),
  depth: fc.integer({ min: 1, max: 3 }),
  width: fc.integer({ min: 1, max: 3 }),
  causal: fc.boolean(),
  queryOffset: fc.integer({ min: 0, max: 2 }),
  scale: fc.option(fc.constantFrom(0.3, 1.5), { nil: undefined }),
  ones: fc.array(fc.boolean(), { minLength: 4, maxLength: 4 }),
  seed: fc.nat(),
});

function drawOf(c: Case, kind: MaskKind): OpDraw {
  const heads = c.keyHeads * c.group;
  const inputs: PropertyInput[] = [
    floats([...c.lead, heads, c.queries, c.depth], c.seed),
    floats([...c.lead, c.keyHeads, c.keys, c.depth], c.seed + 1),
    floats([...c.lead, c.keyHeads, c.keys, c.width], c.seed + 2),
  ];
  const scores = [...c.lead, heads, c.queries, c.keys];
  const masks = scores.map((size, i) => (c.ones[i] === true ? 1 : size));
  if (kind === "float") inputs.push(floats(masks, c.seed + 3));
  if (kind.startsWith("bool")) inputs.push(booleans(masks, c.seed + 3));
  if (kind === "bool and bias") inputs.push(floats(scores.slice(-2), c.seed + 4));
  const options = { causal: c.causal, queryOffset: c.queryOffset, scale: c.scale };
  return {
    inputs,
    apply: ([q, k, v, mask, bias]) =>
      scaledDotProductAttention(q as Tensor, k as Tensor, v as Tensor, {
        ...(mask && { mask }),
        ...(bias && { bias }),
        ...Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined)),
      }),
    expected: (arrays) => attention(arrays, c, kind),
  };
}

/** Query by query, with nothing but sums and exponentials. */
function attention([q, k, v, mask, bias]: readonly NdArray[], c: Case, kind: MaskKind): NdArray {
  const scale = c.scale ?? 1 / Math.sqrt(c.depth);
  const shape = [...c.lead, c.keyHeads * c.group, c.queries, c.width];
  return ndArray(shape, (index) => {
    const lead = index.slice(0, -3);
    const [head = 0, query = 0, column = 0] = index.slice(-3);
    const keyHead = Math.floor(head / c.group);
    let sum = 0;
    let total = 0;
    for (let key = 0; key < c.keys; key++) {
      const place = [...lead, head, query, key];
      if (c.causal && key > query + c.queryOffset) continue;
      if (kind.startsWith("bool") && broadcastAt(mask as NdArray, place) === 0) continue;
      let score = 0;
      for (let d = 0; d < c.depth; d++) {
        score += at(q as NdArray, [...lead, head, query, d]) * at(k as NdArray, [...lead, keyHead, key, d]) * scale;
      }
      if (kind === "float") score += broadcastAt(mask as NdArray, place);
      if (kind === "bool and bias") score += broadcastAt(bias as NdArray, place);
      const weight = Math.exp(score);
      sum += weight;
      total += weight * at(v as NdArray, [...lead, keyHead, key, column]);
    }
    return sum === 0 ? 0 : total / sum;
  });
}

const KINDS: readonly MaskKind[] = ["none", "bool", "float", "bool and bias"];

const properties = KINDS.map((kind): OpProperty => ({
  name: `attention, mask: ${kind}`,
  draws: cases.map((c) => drawOf(c, kind)),
}));

testProperties(properties, { runs: 12, webGpuRuns: 1 });

/** A leaf with bytes of its own. */
function leaf(shape: readonly number[], seed: number): Tensor {
  const { data } = floats(shape, seed);
  return tensor({ shape, data: Float32Array.from(data) }, { requiresGrad: true });
}

/** What a pass forward and backward takes: bytes besides arguments and results, and kernels of attention. */
async function planOf(size: number, options: AttentionOptions): Promise<{ bytes: number; kernels: string[] }> {
  const runtime = createRuntime(new NullDevice());
  const nodes = withRuntime(runtime, () => {
    const inputs = [0, 1, 2].map((i) => leaf([1, 2, size, 8], i));
    const [q, k, v] = inputs as [Tensor, Tensor, Tensor];
    const distance = arange(size).unsqueeze(1).sub(arange(size)).abs();
    const all = { ...options, ...(options.bias !== undefined && { bias: distance.mul(-0.1) }) };
    const loss = scaledDotProductAttention(q, k, v, all).square().sum();
    return [loss, ...grad(loss, inputs)].map((x) => x.value.node);
  });
  const plan = await runtime.compile(nodes, []);
  const names = plan.explain().kernels.map(({ name }) => name);
  runtime.destroy();
  return { bytes: plan.scratchBytes, kernels: names.filter((name) => name.includes("attention")) };
}

const CASES: readonly (readonly [string, AttentionOptions])[] = [
  ["plain", {}],
  ["causal", { causal: true }],
  ["with a bias of distances, and dropout", { bias: null, dropoutP: 0.1 }],
];

test.each(CASES)("forward and backward are three kernels, and memory grows with the places (%s)", async (_, options) => {
  const [first, second, third] = [await planOf(512, options), await planOf(1024, options), await planOf(2048, options)];
  for (const { kernels } of [first, second, third]) expect(kernels).toHaveLength(3);
  // The scores of 2 heads at 2048 places are 32 MiB; arguments are 128 KiB each, and a few are held.
  expect(third.bytes).toBeLessThan(2 ** 20);
  expect(third.bytes - second.bytes).toBeLessThan(2.1 * (second.bytes - first.bytes));
}); // prettier-ignore

/** What `fn` gives on the reference device. */
async function onReference<T>(fn: () => Promise<T>): Promise<T> {
  const runtime = createRuntime(new ReferenceDevice());
  setDefaultRuntime(runtime);
  try {
    return await fn();
  } finally {
    setDefaultRuntime(null);
    runtime.destroy();
  }
}

/** The results of both, and their gradients by all inputs, close to each other. */
async function expectSame(a: Tensor, b: Tensor, inputs: readonly Tensor[]): Promise<void> {
  const lists = [a, b].map((out) => [out, ...grad(out.mul(out.cos()).sum(), inputs, { retainGraph: true })]);
  const [ours = [], theirs = []] = await Promise.all(lists.map((list) => Tensor.readAll(list)));
  ours.forEach((data, i) => data.forEach((x, j) => expect(x).toBeCloseTo(theirs[i]?.[j] ?? Number.NaN, 4)));
}

test.each([
  ["a mask of bool", (mask: Tensor) => mask],
  ["a learned bias", (mask: Tensor) => mask.cast("float32").mul(leaf([1, 2, 1, 90], 9))],
])("one kernel gives what the formula gives, and so do its gradients (%s)", async (_, maskOf) => {
  await onReference(async () => {
    const [q, k, v] = [leaf([2, 2, 70, 8], 1), leaf([2, 90, 8], 2), leaf([2, 90, 5], 3)];
    const near = arange(90).sub(arange(70).unsqueeze(1)).abs().le(20); // Some queries see nothing but what a bias lets them.
    const mask = maskOf(near.logicalAnd(arange(90).ne(40)).reshape([1, 1, 70, 90]));
    const operands = { q, k, v, mask, factor: null };
    const settings = { scale: 0.4, causal: true, offset: 3 };
    const inputs = [q, k, v, ...(mask.requiresGrad ? [mask] : [])];
    await expectSame(fusedAttention(operands, settings), composedAttention(operands, settings), inputs);
  });
}); // prettier-ignore

test("dropout drops the same weights whether scores are held or not, and in the gradient", async () => {
  await onReference(async () => {
    const [q, k, v] = [leaf([2, 1, 20, 4], 1), leaf([2, 30, 4], 2), leaf([2, 30, 4], 3)];
    const factor = dropout(ones([2, 1, 20, 30]), { p: 0.3, generator: new Generator(3) });
    const operands = { q, k, v, mask: null, factor };
    const settings = { scale: 0.5, causal: false, offset: 0 };
    await expectSame(fusedAttention(operands, settings), composedAttention(operands, settings), [q, k, v]);
  });
});

test("dropout keeps the mean, and draws anew", async () => {
  await onReference(async () => {
    const [size, p] = [32, 0.25];
    const generator = new Generator(7);
    // All weights are 1 / size, so each column of the result counts the weights that were kept.
    const v = leaf([1, size, size], 3);
    const out = scaledDotProductAttention(zeros([1, size, 2]), zeros([1, size, 2]), v, { dropoutP: p, generator });
    const [slope] = grad(out.sum(), [v]);
    const [result = [], slopes = [], values = []] = await Tensor.readAll([out, slope as Tensor, v]);
    const kept = Array.from({ length: size }, (_, key) => slopes[key * size] ?? 0);
    expect(kept.reduce((a, b) => a + b, 0) / size).toBeCloseTo(1, 1);
    expect(new Set(kept.map((x) => x.toFixed(4))).size).toBeGreaterThan(3);
    const total = Array.from(result).reduce((a, b) => a + b, 0);
    expect(total).toBeCloseTo(Array.from(values).reduce((sum, x, i) => sum + x * (slopes[i] ?? 0), 0), 2);
    const again = await scaledDotProductAttention(zeros([1, size, 2]), zeros([1, size, 2]), v, { dropoutP: p, generator }).data();
    expect([...again]).not.toEqual([...result]);
  });
}); // prettier-ignore

test("masks of -Infinity and rows without keys give 0 and no NaN", async () => {
  await onReference(async () => {
    const inputs = [leaf([3, 2], 1), leaf([5, 2], 2), leaf([5, 2], 3)];
    const [q, k, v] = inputs as [Tensor, Tensor, Tensor];
    const bias = tensor([0, 1, 2].map((row) => [0, 1, 2, 3, 4].map((key) => (row === 1 || key === 2 ? -Infinity : 0))));
    const out = scaledDotProductAttention(q, k, v, { mask: bias });
    const results = await Tensor.readAll([out, ...grad(out.square().sum(), inputs)]);
    expect(results.every((data) => data.every(Number.isFinite))).toBe(true);
    expect([...(results[0] ?? [])].slice(2, 4).map(Math.abs)).toEqual([0, 0]);
    expect([...(results[3] ?? [])].slice(4, 6).map(Math.abs)).toEqual([0, 0]);
  });
}); // prettier-ignore

test("float16 is loaded as it is: three kernels, and float32 sums", async () => {
  await onReference(async () => {
    const halves = [0, 1, 2].map((i) => leaf([2, 70, 6], i).detach().cast("float16"));
    const wide = halves.map((x) => x.cast("float32"));
    const [half = [], full = []] = await Tensor.readAll(
      [halves, wide].map(([q, k, v]) => scaledDotProductAttention(q as Tensor, k as Tensor, v as Tensor, { causal: true })),
    );
    // Rounded once, at the end.
    half.forEach((x, i) => expect(Math.abs(x - (full[i] ?? 0))).toBeLessThanOrEqual(2 ** -11 * Math.abs(full[i] ?? 0) + 2 ** -24)); // prettier-ignore
  });
}); // prettier-ignore

test("a query at an offset sees what it would see among all queries", async () => {
  await onReference(async () => {
    const [q, k, v] = [leaf([70, 3], 1), leaf([70, 3], 2), leaf([70, 3], 3)] as [Tensor, Tensor, Tensor];
    const all = scaledDotProductAttention(q, k, v, { causal: true }).narrow(0, 60, 10);
    const last = scaledDotProductAttention(q.narrow(0, 60, 10), k, v, { causal: true, queryOffset: 60 });
    const [a = [], b = []] = await Tensor.readAll([all, last]);
    a.forEach((x, i) => expect(x).toBeCloseTo(b[i] ?? Number.NaN, 5));
  });
});

test("PyTorch's names of options work", async () => {
  await onReference(async () => {
    const [q, k, v] = [leaf([4, 2], 1), leaf([4, 2], 2), leaf([4, 2], 3)] as [Tensor, Tensor, Tensor];
    const mask = arange(4).ne(2);
    const [a = [], b = []] = await Tensor.readAll([
      scaledDotProductAttention(q, k, v, { mask, causal: true }),
      scaledDotProductAttention(q, k, v, { attnMask: mask, isCausal: true, enableGqa: true }),
    ]);
    expect([...a]).toEqual([...b]);
  });
});

const bad =
  (shapes: readonly (readonly number[])[], options = {}) =>
  (): Tensor => {
    const [q, k, v] = shapes.map((shape) => zeros(shape)) as [Tensor, Tensor, Tensor];
    return scaledDotProductAttention(q, k, v, options);
  };

test.each([
  ["depths that differ", bad([[4, 2], [4, 3], [4, 2]]), ShapeError, "expected [.., H, T, D], [.., H, S, D] and [.., H, S, E], found [4, 2], [4, 3], [4, 2]"],
  ["keys without values", bad([[4, 2], [4, 2], [5, 2]]), ShapeError, "found [4, 2], [4, 2], [5, 2]"],
  ["vectors", bad([[4], [4], [4]]), ShapeError, "found [4], [4], [4]"],
  ["groups that are not equal", bad([[3, 4, 2], [2, 4, 2], [2, 4, 2]]), ShapeError, "expected a number of key heads that divides the 3 query heads, found 2"],
  ["a mask that does not broadcast", bad([[4, 2], [4, 2], [4, 2]], { mask: zeros([3, 4]) }), ShapeError, "expected shapes that broadcast, found [3, 4] and [1, 4, 4]"],
  ["a mask of integers", bad([[4, 2], [4, 2], [4, 2]], { mask: zeros([4, 4], { dtype: "int32" }) }), UnsupportedError, "expected a mask of bool or floats, found int32"],
  ["a bias of bool", bad([[4, 2], [4, 2], [4, 2]], { bias: zeros([4, 4], { dtype: "bool" }) }), UnsupportedError, "expected a bias of floats, found bool"],
  ["an offset that is none", bad([[4, 2], [4, 2], [4, 2]], { queryOffset: -1 }), OptionError, "expected a queryOffset that is a whole number from 0, found -1"],
  ["a share that is none", bad([[4, 2], [4, 2], [4, 2]], { dropoutP: 1 }), OptionError, "expected dropoutP from 0 to below 1, found 1"],
] as const)("attention refuses %s in one sentence", (_, call, kind, message) => {
  expect(call).toThrow(kind);
  expect(call).toThrow(message);
}); // prettier-ignore
