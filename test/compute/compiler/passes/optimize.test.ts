/** The passes together: on random graphs against the evaluator, and on training steps. */
import { expect, test } from "vitest";
import { Random } from "../../../../src/base/random.ts";
import * as graph from "../../../../src/compute/compiler/graph.ts";
import type { Node, Shape } from "../../../../src/compute/compiler/ir.ts";
import { optimize, SIMPLIFICATIONS, type Pass } from "../../../../src/compute/compiler/passes/optimize.ts";
import { inTopologicalOrder } from "../../../../src/compute/compiler/walk-graph.ts";
import { expectEquivalent } from "../equivalent.ts";
import { formulaOf } from "../formula.ts";
import { wholeRandomGraph } from "../random-graph.ts";

const leaves = {
  of: (shape: Shape, dtype: Node["dtype"]): Node => graph.buffer(shape, dtype),
  floats: (_: Random, shape: Shape): Node => graph.buffer(shape, "float32"),
  integers: (_: Random, shape: Shape): Node => graph.buffer(shape, "int32"),
};

const STEPS = 300;
/** Rules that change no bit. */
const EXACT: Pass = { name: "exact", table: SIMPLIFICATIONS.filter(({ rounding }) => rounding === undefined) };
/**
 * The others round a few values of a graph otherwise, each by 2^-23 at most, and what follows may double that some ten
 * times over.
 */
const ROUNDED = 2 ** -12;

function randomOutputs(seed: number): readonly Node[] {
  return wholeRandomGraph(new Random("optimize", seed), leaves, STEPS);
}

test.each(Array.from({ length: 40 }, (_, seed) => seed))(
  "random graph %i of hundreds of nodes stays the same to the bit under rules that say so",
  (seed) => {
    const before = randomOutputs(seed);
    const after = optimize(before, { passes: [EXACT] });
    // NaN, infinities and extreme integers among the leaves.
    expectEquivalent(before, after, seed);
    expect(inTopologicalOrder(after).length).toBeLessThan(0.95 * inTopologicalOrder(before).length);
  },
);

test.each(Array.from({ length: 40 }, (_, seed) => seed))(
  "random graph %i of hundreds of nodes computes the same after all passes",
  (seed) => {
    const before = randomOutputs(seed);
    expectEquivalent(before, optimize(before), seed, { isPlain: true, relative: ROUNDED });
  },
);

test("a graph that was optimized is not changed again", () => {
  for (let seed = 0; seed < 20; seed++) {
    const once = optimize(randomOutputs(seed));
    expect(inTopologicalOrder(optimize(once)).length, `seed ${seed}`).toBe(inTopologicalOrder(once).length);
  }
});

test("equal graphs are optimized to equal graphs", () => {
  const text = (): string[] => optimize(randomOutputs(3)).map((node) => formulaOf(node, new Map()));
  expect(text()).toEqual(text());
});

test("an output that turns out to be a leaf is that leaf", () => {
  const x = graph.buffer([2, 3], "float32");
  const turned = graph.permute(graph.unary("negate", graph.unary("negate", graph.permute(x, [1, 0]))), [1, 0]);
  expect(optimize([turned, graph.binary("multiply", x, graph.constant(1, [2, 3], "float32"))])).toEqual([x, x]);
});

test("a long sum over the first axis is cut in two, which read rows as they lie", () => {
  const x = graph.buffer([4096, 64], "float32");
  const [sum] = optimize([graph.reduce("sum", x, [0])]);
  const kinds = inTopologicalOrder(sum === undefined ? [] : [sum]).map(({ primitive }) => primitive.kind);
  expect(kinds).toEqual(["buffer", "reshape", "reduce", "reduce", "reshape"]);
});
