/** Graphs of attention: against float64 loops, what is stored for them, and what they refuse. */
import fc from "fast-check";
import { expect, test } from "vitest";
import { Random } from "../../../src/base/random.ts";
import {
  attention,
  attentionKeyValueGradient,
  attentionMaskGradient,
  attentionQueryGradient,
} from "../../../src/compute/compiler/attention.ts";
import * as graph from "../../../src/compute/compiler/graph.ts";
import type { Node, Shape } from "../../../src/compute/compiler/ir.ts";
import { lower } from "../../../src/compute/compiler/lower.ts";
import { computed, Leaves, testDevices } from "./devices.ts";
import { evaluateAll } from "./evaluate.ts";

interface Case {
  readonly batch: number;
  readonly group: number;
  readonly queries: number;
  readonly keys: number;
  readonly depth: number;
  readonly width: number;
  readonly causal: boolean;
  readonly offset: number;
  readonly mask: "none" | "bool" | "float";
  readonly hasFactor: boolean;
  readonly ones: readonly boolean[];
  readonly seed: number;
}

const size = (max: number): fc.Arbitrary<number> => fc.integer({ min: 1, max });

const cases: fc.Arbitrary<Case> = fc.record({
  batch: size(2),
  group: size(2),
  queries: fc.oneof(size(5), fc.constantFrom(16, 33)),
  keys: fc.oneof(size(5), fc.constantFrom(16, 33)),
  depth: fc.oneof(size(5), fc.constantFrom(16, 80)),
  width: fc.oneof(size(5), fc.constantFrom(16, 80)),
  causal: fc.boolean(),
  offset: fc.integer({ min: -3, max: 3 }),
  mask: fc.constantFrom("none", "bool", "float"),
  hasFactor: fc.boolean(),
  ones: fc.array(fc.boolean(), { minLength: 4, maxLength: 4 }),
  seed: fc.nat(),
});

/** All parts for one case. */
function nodesOf(leaves: Leaves, c: Case): Node[] {
  const random = new Random(c.seed, "attention");
  const [q, k, v, grad] = [
    [c.batch, c.group, c.queries, c.depth],
    [c.batch, c.keys, c.depth],
    [c.batch, c.keys, c.width],
    [c.batch, c.group, c.queries, c.width],
  ].map((shape) => leaves.floats(random, shape)) as [Node, Node, Node, Node];
  const pairs: Shape = [c.batch, c.group, c.queries, c.keys];
  const repeated = pairs.map((n, axis) => (c.ones[axis] === true ? 1 : n));
  const isKept = (): Node => graph.cast(leaves.integers(random, repeated, 0, 2), "bool");
  const mask = c.mask === "none" ? null : c.mask === "bool" ? isKept() : leaves.floats(random, repeated);
  const factor = c.hasFactor ? graph.cast(leaves.integers(random, pairs, 0, 2), "float32") : null;
  const nodes = { q, k, v, mask, factor };
  const options = { scale: 0.4, causal: c.causal, offset: c.offset };
  const forward = attention(nodes, options);
  const queryGradient = attentionQueryGradient(nodes, options, grad, forward);
  const all = [forward, queryGradient, attentionKeyValueGradient(nodes, options, grad, queryGradient)];
  return c.mask === "float" ? [...all, attentionMaskGradient(nodes, options, grad, queryGradient)] : all;
}

/**
 * Sums of up to 80 products of numbers below 2, and of 33 of them with weights: 1e-4 of the largest, or of 1 where they
 * cancel, is some ten times what they lose. The high logarithm of queries that see nothing counts for itself.
 */
function expectClose(found: readonly number[], expected: readonly number[]): void {
  const size = expected.reduce((most, x) => (Math.abs(x) < 1e29 ? Math.max(most, Math.abs(x)) : most), 1);
  expect(found.length).toBe(expected.length);
  for (const [i, x] of expected.entries()) {
    const limit = 1e-4 * (Math.abs(x) < 1e29 ? size : Math.abs(x));
    if (!(Math.abs((found[i] ?? Number.NaN) - x) <= limit)) expect.fail(`${i}: expected ${x}, found ${found[i]}`);
  }
}

for (const { name, missing, open } of testDevices) {
  test.skipIf(missing !== undefined)(`attention and its gradients are what loops give, on ${name}`, async () => {
    const runtime = await open();
    await fc.assert(
      fc.asyncProperty(cases, async (c) => {
        const leaves = new Leaves(runtime);
        const nodes = nodesOf(leaves, c);
        const found = await computed(runtime, nodes);
        const expected = evaluateAll(nodes, leaves.values);
        for (const [i, values] of found.entries()) expectClose(values, expected[i] ?? []);
      }),
      { seed: 20_261, numRuns: name === "webgpu" ? 3 : 25 },
    );
  }, 60_000); // prettier-ignore
}

test("the gradients are the slopes of the weighted result, by finite differences in float64", async () => {
  const reference = testDevices.find(({ name }) => name === "reference") as (typeof testDevices)[number];
  const leaves = new Leaves(await reference.open());
  const c: Case = { batch: 2, group: 2, queries: 5, keys: 6, depth: 3, width: 2, causal: true, offset: 1, mask: "float", hasFactor: true, ones: [true, false, false, false], seed: 8 }; // prettier-ignore
  const [forward, queryGradient, keyValueGradient, maskGradient] = nodesOf(leaves, c) as [Node, Node, Node, Node];
  const [q, k, v, grad, , mask] = queryGradient.inputs as [Node, Node, Node, Node, Node, Node];
  const parts = evaluateAll([queryGradient, keyValueGradient, maskGradient], leaves.values);
  const columns = (values: readonly number[] = [], width: number, from: number, to: number): number[] =>
    values.filter((_, i) => i % width >= from && i % width < to);
  const slopes: readonly (readonly [Node, readonly number[]])[] = [
    [q, columns(parts[0], 5, 0, 3)],
    [k, columns(parts[1], 5, 0, 3)],
    [v, columns(parts[1], 5, 3, 5)],
    [mask, parts[2] ?? []],
  ];
  const random = new Random(8, "direction");
  const weights = leaves.values.get(grad) ?? [];
  for (const [leaf, slope] of slopes) {
    const direction = slope.map(() => random.uniform() - 0.5);
    const lossAt = (by: number): number => {
      const moved = (leaves.values.get(leaf) ?? []).map((x, i) => x + by * (direction[i] ?? 0));
      const [result] = evaluateAll([forward], new Map(leaves.values).set(leaf, moved));
      return columns(result, 3, 0, 2).reduce((sum, x, i) => sum + x * (weights[i] ?? 0), 0);
    };
    const exact = slope.reduce((sum, x, i) => sum + x * (direction[i] ?? 0), 0);
    // A central difference over 2e-4 of numbers of about 1 is off by some 1e-8.
    expect((lossAt(1e-4) - lossAt(-1e-4)) / 2e-4).toBeCloseTo(exact, 6);
  }
});

test("two runs give the same bits", async () => {
  const device = testDevices.find(({ missing }) => missing === undefined);
  const runtime = await (device as (typeof testDevices)[number]).open();
  const c: Case = { batch: 2, group: 2, queries: 33, keys: 40, depth: 16, width: 8, causal: true, offset: 3, mask: "float", hasFactor: true, ones: [true, false, true, false], seed: 5 }; // prettier-ignore
  const nodes = nodesOf(new Leaves(runtime), c);
  expect(await computed(runtime, nodes)).toEqual(await computed(runtime, nodes));
});

/** The nodes that kernels for `outputs` store, by their shapes. */
function stored(outputs: readonly Node[]): string[] {
  return lower(outputs, 8).kernels.map(({ outputs: [node] }) => (node?.shape ?? []).join("x"));
}

const options = { scale: 1, causal: false, offset: 0 };
const leaf = (...shape: number[]): Node => graph.buffer(shape, "float32");
const small = { q: leaf(1, 2, 64, 4), k: leaf(1, 64, 4), v: leaf(1, 64, 4), mask: null, factor: null };

test("queries, keys and values are stored before, and read through their views", () => {
  const exponential = graph.unary("exp", leaf(64, 4));
  const k = graph.reshape(exponential, [1, 64, 4]);
  const v = graph.permute(leaf(1, 4, 64), [0, 2, 1]);
  expect(stored([attention({ ...small, k, v }, options)])).toEqual(["64x4", "1x2x64x5"]);
});

test("a mask and random numbers are computed where they are read, however often, unless they repeat", () => {
  const pairs = [1, 2, 64, 64];
  const bits = graph.random(graph.buffer([2], "uint32"), pairs, "normal");
  const decay = graph.unary("exp", graph.cast(graph.iota([1, 1, 64, 64], 2), "float32"));
  const nodes = { ...small, mask: graph.unary("sin", decay), factor: bits };
  const grad = leaf(1, 2, 64, 4);
  const forward = attention(nodes, options);
  const queryGradient = attentionQueryGradient(nodes, options, grad, forward);
  const keyValueGradient = attentionKeyValueGradient(nodes, options, grad, queryGradient);
  expect(stored([keyValueGradient])).toEqual(["1x2x64x5", "1x2x64x6", "1x64x8"]);
  const perKey = graph.random(graph.buffer([2], "uint32"), [1, 1, 1, 64], "normal");
  expect(stored([attention({ ...small, mask: perKey }, options)])).toEqual(["1x1x1x64", "1x2x64x5"]);
});

test.each([
  ["keys of another depth", { ...small, k: leaf(1, 64, 5) }, "expected [B, G, T, D], [B, S, D] and [B, S, E] without empty axes, found [1, 2, 64, 4], [1, 64, 5], [1, 64, 4]"],
  ["no keys", { ...small, k: leaf(1, 0, 4), v: leaf(1, 0, 4) }, "without empty axes"],
  ["a mask that does not repeat to the scores", { ...small, mask: leaf(1, 2, 32, 64) }, "expected a shape that repeats to [1, 2, 64, 64], found [1, 2, 32, 64]"],
  ["a mask of integers", { ...small, mask: graph.buffer([1, 1, 1, 1], "int32") }, "expected bool or float32, found int32"],
] as const)("attention refuses %s in one sentence", (_, nodes, message) => {
  expect(() => attention(nodes, options)).toThrow(message);
}); // prettier-ignore

test("a gradient refuses what an earlier part did not give", () => {
  const grad = leaf(1, 2, 64, 4);
  expect(() => attentionQueryGradient(small, options, grad, leaf(1, 2, 64, 4))).toThrow("attention gradQuery: expected [1, 2, 64, 5], found [1, 2, 64, 4]"); // prettier-ignore
});
