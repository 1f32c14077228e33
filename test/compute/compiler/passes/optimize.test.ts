/** The passes together: on random graphs against the evaluator, and on training steps. */
import { expect, test } from "vitest";
import { Random } from "../../../../src/base/random.ts";
import * as graph from "../../../../src/compute/compiler/graph.ts";
import type { Node, Shape } from "../../../../src/compute/compiler/ir.ts";
import { optimize, SIMPLIFICATIONS, type Pass } from "../../../../src/compute/compiler/passes/optimize.ts";
import { inTopologicalOrder } from "../../../../src/compute/compiler/walk-graph.ts";
import { randInt } from "../../../../src/compute/tensor/create-random.ts";
import { crossEntropy } from "../../../../src/compute/tensor/ops/cross-entropy.ts";
import { withRandom } from "../../../../src/model/nn/init.ts";
import { AdamW } from "../../../../src/model/optim/adam.ts";
import { Gpt } from "../../../../examples/gpt.ts";
import { tracedGraph, type TracedStep } from "../../tensor/traced-graph.ts";
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

test("char-GPT's training step loses a third of its nodes, and keeps its results", async () => {
  const step = await tracedGraph(charGptStep);
  const nodes = optimize(step);
  const order = inTopologicalOrder(nodes);
  expect(inTopologicalOrder(step).length).toBeGreaterThan(1_800);
  // 29 parameters, each with two moments, of about 16 nodes each; twice as many for forward and backward.
  expect(order.length).toBeLessThan(1_260);
  expect(nodes.map(({ shape }) => shape)).toEqual(step.map(({ shape }) => shape));
  // No product is transposed after it was made, and the gradients of queries, keys and values are joined, not added.
  const of = (kind: string): Node[] => order.filter(({ primitive }) => primitive.kind === kind);
  expect(of("permute").filter(({ inputs }) => inputs[0]?.primitive.kind === "contraction")).toEqual([]);
  expect(of("binary").filter(({ inputs }) => inputs.some((input) => input.primitive.kind === "pad"))).toEqual([]);
  // The tanh of GELU in the forward pass is the one of its gradient.
  expect(order.filter(({ primitive, shape }) => "fn" in primitive && primitive.fn === "tanh" && shape.at(-1) === 256)).toHaveLength(2); // prettier-ignore
});

function charGptStep(): TracedStep<"x" | "y"> {
  const random = new Random("char-gpt");
  const model = withRandom(random, () => new Gpt(65, 64));
  const optimizer = new AdamW(model.parameters(), { lr: 1e-3 });
  return {
    inputs: { x: randInt(0, 65, [8, 64], random), y: randInt(0, 65, [8, 64], random) },
    step: ({ x, y }) => {
      const loss = crossEntropy(model.forward(x), y);
      loss.backward();
      optimizer.step();
      return loss;
    },
  };
}
