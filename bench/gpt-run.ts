/** The GPT of the examples as a run, on tokens drawn at random: what benchmarks of training train. */
import { functional as F } from "hearth";
import { Gpt } from "../examples/gpt.ts";
import type { Dataset, RunDefinition } from "../src/training/run-definition.ts";

const [VOCABULARY, CONTEXT] = [65, 64];

export interface GptRunOptions {
  readonly globalBatch: number;
  readonly slots: number;
  readonly width: number;
  readonly layers: number;
}

/** As `RunDefinition` wants it, whatever its model. */
export function gptRun({ globalBatch, slots, width, layers }: GptRunOptions): RunDefinition {
  const definition: RunDefinition<Dataset, Gpt> = {
    name: "bench",
    title: "",
    description: "",
    globalBatch,
    slots,
    steps: 1,
    data: {
      accept: "",
      load: () => ({
        batch: (random, size) => {
          const tokens = (): Int32Array<ArrayBuffer> =>
            Int32Array.from({ length: size * CONTEXT }, () => random.below(VOCABULARY));
          return { x: { shape: [size, CONTEXT], data: tokens() }, y: { shape: [size, CONTEXT], data: tokens() } };
        },
      }),
    },
    model: () => new Gpt(VOCABULARY, CONTEXT, { width, heads: 4, layers }),
    loss: (model, { x, y }) => F.crossEntropy(model.forward(x), y, { axis: -1 }),
    optimizer: () => ({ kind: "adamw", lr: 1e-3 }),
  };
  return definition as unknown as RunDefinition;
}
