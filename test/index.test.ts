/** The public entry, used as a user would. */
import { expect, test } from "vitest";
import { compile, functional as F, nn, optim, Random, setDefaultRuntime, ShapeError, tensor } from "../src/index.ts";
import type { Inputs, Tensor } from "../src/index.ts";
import { deviceRuntime } from "./compute/tensor/test-runtimes.ts";

class Block extends nn.Module {
  readonly norm: nn.LayerNorm = new nn.LayerNorm(16);
  readonly attention: nn.CausalSelfAttention = new nn.CausalSelfAttention(16, { heads: 2 });
  readonly head: nn.Linear = new nn.Linear(16, 8);

  forward(x: Tensor): Tensor {
    return this.head.forward(x.add(this.attention.forward(this.norm.forward(x))));
  }
}

test("a model written against the public entry learns, in one plan", { timeout: 60_000 }, async () => {
  setDefaultRuntime(deviceRuntime());
  const [model, embedding] = nn.withRandom(new Random(7), () => [new Block(), new nn.Embedding(8, 16)] as const);
  const optimizer = new optim.AdamW([...model.parameters(), ...embedding.parameters()], { lr: 0.02 });
  const step = compile(({ x, y }: Inputs<"x" | "y">) => {
    const loss = F.crossEntropy(model.forward(embedding.forward(x)), y);
    loss.backward();
    optimizer.step();
    return loss;
  });
  const x = { shape: [2, 6], data: Int32Array.of(0, 1, 2, 3, 4, 5, 7, 6, 5, 4, 3, 2) };
  const y = { shape: [2, 6], data: Int32Array.of(1, 2, 3, 4, 5, 6, 6, 5, 4, 3, 2, 1) };
  const losses: number[] = [];
  for (let i = 0; i < 25; i++) losses.push(await (await step({ x, y })).item());
  // A uniform guess costs ln 8 = 2.08. Twelve places, each with its own past, can be learned by heart.
  expect(losses[0]).toBeGreaterThan(1.5);
  expect(losses.at(-1)).toBeLessThan(0.2);
  expect(step.explain()).toHaveLength(1);
  expect(() => tensor([1, 2]).matmul(tensor([1, 2, 3]))).toThrow(ShapeError);
});
