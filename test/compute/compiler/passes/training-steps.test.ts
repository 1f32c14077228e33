/** The passes on training steps as people write them: what becomes of the graph, and that it computes the same. */
import { expect, test } from "vitest";
import { Random } from "../../../../src/base/random.ts";
import type { Node } from "../../../../src/compute/compiler/ir.ts";
import { optimize } from "../../../../src/compute/compiler/passes/optimize.ts";
import { inTopologicalOrder } from "../../../../src/compute/compiler/walk-graph.ts";
import { randInt, randn } from "../../../../src/compute/tensor/create-random.ts";
import { crossEntropy } from "../../../../src/compute/tensor/ops/cross-entropy.ts";
import type { Tensor } from "../../../../src/compute/tensor/tensor.ts";
import { ReLU } from "../../../../src/model/nn/activations.ts";
import { BatchNorm2d } from "../../../../src/model/nn/batch-norm.ts";
import { Sequential } from "../../../../src/model/nn/containers.ts";
import { Conv2d } from "../../../../src/model/nn/conv.ts";
import { Dropout } from "../../../../src/model/nn/dropout.ts";
import { withRandom } from "../../../../src/model/nn/init.ts";
import { Linear } from "../../../../src/model/nn/linear.ts";
import type { Module } from "../../../../src/model/nn/module.ts";
import { MaxPool2d } from "../../../../src/model/nn/pool.ts";
import { LSTM } from "../../../../src/model/nn/recurrent.ts";
import { Flatten } from "../../../../src/model/nn/reshaping.ts";
import { Adam, AdamW } from "../../../../src/model/optim/adam.ts";
import type { Optimizer } from "../../../../src/model/optim/optimizer.ts";
import { SGD } from "../../../../src/model/optim/sgd.ts";
import { Gpt, type GptOptions } from "../../../../examples/gpt.ts";
import { tracedGraph, type TracedStep } from "../../tensor/traced-graph.ts";
import { expectEquivalent } from "../equivalent.ts";

/** Some tens of sums, of up to 30 terms each, are rounded otherwise, each by 2^-23 at most. */
const ROUNDED = 2 ** -12;

/** A step of `model` on x and y: loss, gradients, optimizer. */
function stepOf<M extends Module>(
  make: () => M,
  optimizerOf: (parameters: readonly Tensor[]) => Optimizer,
  loss: (model: M, x: Tensor, y: Tensor) => Tensor,
  inputs: Record<"x" | "y", Tensor>,
): TracedStep<"x" | "y"> {
  const model = withRandom(new Random("step"), make);
  const optimizer = optimizerOf(model.parameters());
  return {
    inputs,
    step: ({ x, y }) => {
      const value = loss(model, x, y);
      value.backward();
      optimizer.step();
      return value;
    },
  };
}

function classified(model: Module & { forward(x: Tensor): Tensor }, x: Tensor, y: Tensor): Tensor {
  return crossEntropy(model.forward(x), y);
}

function gptStep(batch: number, context: number, vocabulary: number, options: GptOptions = {}): TracedStep<"x" | "y"> {
  const random = new Random("tokens");
  const tokens = (): Tensor => randInt(0, vocabulary, [batch, context], random);
  const adamW = (parameters: readonly Tensor[]): Optimizer => new AdamW(parameters, { lr: 1e-3 });
  return stepOf(() => new Gpt(vocabulary, context, options), adamW, classified, { x: tokens(), y: tokens() });
}

function imageStep(): TracedStep<"x" | "y"> {
  const random = new Random("images");
  const layers = (): Sequential =>
    new Sequential(new Conv2d(1, 3, 3, { padding: 1 }), new BatchNorm2d(3), new ReLU(), new MaxPool2d(2), new Conv2d(3, 4, 3, { padding: 1, stride: 2 }), new Flatten(), new Dropout(0.5), new Linear(16, 5)); // prettier-ignore
  const sgd = (parameters: readonly Tensor[]): Optimizer => new SGD(parameters, { lr: 0.1, momentum: 0.9 });
  return stepOf(layers, sgd, classified, { x: randn([2, 1, 8, 8], random), y: randInt(0, 5, [2], random) });
}

function recurrentStep(): TracedStep<"x" | "y"> {
  const random = new Random("sequences");
  const adam = (parameters: readonly Tensor[]): Optimizer => new Adam(parameters, { lr: 0.1, amsgrad: true });
  const loss = (model: LSTM, x: Tensor, y: Tensor): Tensor => model.forward(x).output.sub(y).square().mean();
  const inputs = { x: randn([2, 4, 3], random), y: randn([2, 4, 5], random) };
  return stepOf(() => new LSTM(3, 5), adam, loss, inputs);
}

const STEPS: readonly (readonly [name: string, step: () => TracedStep<"x" | "y">])[] = [
  ["a small GPT", () => gptStep(2, 6, 11, { width: 8, heads: 2, layers: 2 })],
  ["a convolutional net with batch norm, pooling and dropout", imageStep],
  ["an LSTM", recurrentStep],
];

test.each(STEPS)("a training step of %s computes the same for less", async (_, step) => {
  const before = await tracedGraph(step);
  const after = optimize(before);
  expect(inTopologicalOrder(after).length).toBeLessThan(inTopologicalOrder(before).length);
  for (const seed of [1, 2]) expectEquivalent(before, after, seed, { isPlain: true, relative: ROUNDED });
});

test("char-GPT's training step loses a third of its nodes, and keeps its results", async () => {
  const step = await tracedGraph(() => gptStep(8, 64, 65));
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
