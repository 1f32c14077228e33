/**
 * Whether two graphs of the same leaves compute the same, by the plain evaluator: what no structural check can tell of a
 * pass. Both are rounded to float32 at every node, so that rewrites that are exact give the same bits.
 */
import { expect } from "vitest";
import { Random } from "../../../src/base/random.ts";
import type { Node } from "../../../src/compute/compiler/ir.ts";
import { describeNode, inTopologicalOrder } from "../../../src/compute/compiler/walk-graph.ts";
import { elementCount } from "../../../src/compute/layout/shape.ts";
import { evaluateAll } from "./evaluate.ts";

const FLOATS = [0, -0, 1, -1, 0.5, 2, 1e30, 1e-30, -3e38, Infinity, -Infinity, Number.NaN];
const INT32 = [0, 1, -1, 2 ** 31 - 1, -(2 ** 31)];
const UINT32 = [0, 1, 2 ** 31, 2 ** 32 - 1];

/** Every second value is one that rules like to get wrong. */
function draw(random: Random, { dtype }: Node, isPlain: boolean): number {
  const isSpecial = !isPlain && random.below(2) === 0;
  switch (dtype) {
    case "float32":
      return Math.fround(isSpecial ? random.pick(FLOATS) : random.uniform() * 4 - 2);
    case "float16":
      return (random.below(4096) - 2048) / 1024;
    case "int32":
      return isSpecial ? random.pick(INT32) : random.below(16) - 6;
    case "uint32":
      return isSpecial ? random.pick(UINT32) : random.below(16);
    case "bool":
      return random.below(2);
  }
}

export interface EquivalenceOptions {
  /** How far floats may be apart, as a part of the largest of their tensor. 0 by default: the same but for a zero's sign. */
  readonly relative?: number;
  /** Leaves of small numbers alone: no infinities, NaN or overflow. */
  readonly isPlain?: boolean;
}

/** Expects `after` to compute what `before` does, for values of the leaves that `seed` gives. */
export function expectEquivalent(
  before: readonly Node[],
  after: readonly Node[],
  seed: number,
  { relative = 0, isPlain = false }: EquivalenceOptions = {},
): void {
  expect(after.length).toBe(before.length);
  const leaves = leafValues(inTopologicalOrder([...before, ...after]), seed, isPlain);
  const [expected, found] = [before, after].map((nodes) => evaluateAll(nodes, leaves, { isRounded: true }));
  for (const [i, node] of before.entries()) {
    const fault = differenceOf(expected?.[i] ?? [], found?.[i] ?? [], node.dtype === "float32" ? relative : 0);
    if (fault !== undefined) expect.fail(`seed ${seed}, output ${i}, ${describeNode(node)}: ${fault}`);
  }
}

/** Values for the leaves among `nodes`. */
function leafValues(nodes: readonly Node[], seed: number, isPlain: boolean): Map<Node, readonly number[]> {
  const random = new Random("equivalent", seed);
  const leaves = nodes.filter(({ primitive }) => primitive.kind === "buffer");
  return new Map(
    leaves.map((node) => [node, Array.from({ length: elementCount(node.shape) }, () => draw(random, node, isPlain))]),
  );
}

function differenceOf(expected: readonly number[], found: readonly number[], relative: number): string | undefined {
  if (found.length !== expected.length) return `expected ${expected.length} elements, found ${found.length}`;
  const scale = expected.reduce((most, x) => (Number.isFinite(x) ? Math.max(most, Math.abs(x)) : most), 0);
  const at = expected.findIndex((want, i) => {
    const have = found[i] ?? Number.NaN;
    return !(Object.is(have, want) || have === want || Math.abs(have - want) <= relative * scale);
  });
  return at < 0 ? undefined : `expected ${expected[at]} at ${at}, found ${found[at]}`;
}
