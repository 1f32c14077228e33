/** Small trainings for tests of memory: the same losses are expected whatever happens to the device. */
import { compile, functional as F, manualSeed, microBatched, optim, tensor, type Inputs, type Tensor } from "hearth";
import { Random } from "../../../src/base/random.ts";
import type { Runtime } from "../../../src/compute/runtime/runtime.ts";
import type { CompiledFunction } from "../../../src/compute/tensor/compile.ts";
import { setDefaultRuntime } from "../../../src/compute/tensor/runtime-scope.ts";
import { Gpt } from "../../../examples/gpt.ts";

export interface GptShape {
  readonly batch: number;
  readonly context: number;
  readonly width: number;
  readonly layers: number;
}

const SMALL: GptShape = { batch: 4, context: 32, width: 32, layers: 2 };
const VOCABULARY = 65;

/** A GPT and sequences of random tokens, seeded: `next` is one compiled step with AdamW, and gives its loss. */
export class GptTraining {
  readonly step: CompiledFunction<"x" | "y", Tensor>;
  readonly #shape: GptShape;
  readonly #random = new Random(3, "batches");

  constructor(runtime: Runtime, shape: GptShape = SMALL) {
    this.#shape = shape;
    setDefaultRuntime(runtime);
    manualSeed(1);
    const model = new Gpt(VOCABULARY, shape.context, { width: shape.width, heads: 4, layers: shape.layers });
    const optimizer = new optim.AdamW(model.parameters(), { lr: 3e-3 });
    this.step = compile(
      (inputs: Inputs<"x" | "y">) => {
        const loss = microBatched(inputs, ({ x, y }) => F.crossEntropy(model.call(x).flatten(0, 1), y.flatten()));
        optimizer.zeroGrad();
        loss.backward();
        optimizer.step();
        return loss;
      },
      { runtime },
    );
  }

  async next(): Promise<number> {
    const { batch, context } = this.#shape;
    const draw = (): { shape: number[]; data: Int32Array<ArrayBuffer> } => ({
      shape: [batch, context],
      data: Int32Array.from({ length: batch * context }, () => this.#random.below(VOCABULARY)),
    });
    return await (await this.step({ x: draw(), y: draw() })).item();
  }
}

/** A multilayer perceptron's steps, op by op. */
export class EagerTraining {
  readonly #weights: Tensor[];
  readonly #random = new Random(5, "batches");

  constructor(runtime: Runtime, width = 32) {
    setDefaultRuntime(runtime);
    const random = new Random(2, "weights");
    const drawn = (rows: number, columns: number): Tensor => {
      const values = Array.from({ length: rows }, () => Array.from({ length: columns }, () => random.normal() * 0.3));
      return tensor(values, { requiresGrad: true });
    };
    this.#weights = [drawn(16, width), drawn(width, 8)];
  }

  async next(): Promise<number> {
    let x = tensor(Array.from({ length: 8 }, () => Array.from({ length: 16 }, () => this.#random.normal())));
    for (const weight of this.#weights) x = x.matmul(weight).tanh();
    const loss = x.sub(0.5).square().mean();
    loss.backward();
    for (const weight of this.#weights) {
      const { grad } = weight;
      if (grad !== null) weight.assign(weight.detach().sub(grad.mul(0.1)));
      weight.grad = null;
    }
    return await loss.item();
  }
}

/** Losses of the next `steps` steps. */
export async function lossesOf(training: { next(): Promise<number> }, steps: number): Promise<number[]> {
  const losses: number[] = [];
  for (let step = 0; step < steps; step++) losses.push(await training.next());
  return losses;
}
