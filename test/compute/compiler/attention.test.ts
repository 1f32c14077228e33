/** The primitive of attention against float64 loops, by every way of sharing it out between lanes. */
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
import { expectAsEvaluated, Leaves, testDevices } from "./devices.ts";

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

for (const { name, missing, open } of testDevices) {
  test.skipIf(missing !== undefined)(`attention and its gradients are what loops give, on ${name}`, async () => {
    const runtime = await open();
    await fc.assert(
      fc.asyncProperty(cases, async (c) => {
        const leaves = new Leaves(runtime);
        await expectAsEvaluated(runtime, leaves, nodesOf(leaves, c), 2e-5);
      }),
      { seed: 20_261, numRuns: name === "webgpu" ? 4 : 25 },
    );
  }, 60_000); // prettier-ignore
}
