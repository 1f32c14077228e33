/** The GPT of the examples as a run, on tokens drawn at random or on a text: what benchmarks of training train. */
import { functional as F } from "hearth";
import { Gpt } from "../examples/gpt.ts";
import type { Random } from "../src/base/random.ts";
import type { Bytes } from "../src/base/bytes.ts";
import type { Dataset, HostTensor, RunDefinition } from "../src/training/run-definition.ts";

const CONTEXT = 64;
/** Tokens of random data, and ASCII. */
const [VOCABULARY, CHARACTERS] = [65, 128];

export interface GptRunOptions {
  readonly globalBatch: number;
  readonly slots: number;
  readonly width: number;
  readonly layers: number;
}

export interface GptRunTexts {
  /** What is learned, each byte by its lower seven bits; tokens at random if left out. */
  readonly text?: Bytes;
  /** Of gradients; none if left out. */
  readonly codec?: string;
}

/** As `RunDefinition` wants it, whatever its model. */
export function gptRun(
  { globalBatch, slots, width, layers }: GptRunOptions,
  { text, codec }: GptRunTexts = {},
): RunDefinition {
  // prettier-ignore
  const definition: RunDefinition<Dataset, Gpt> = {
    name: "bench",
    title: "",
    description: "",
    globalBatch,
    slots,
    steps: 1,
    data: { accept: "", load: () => ({ batch: text === undefined ? randomTokens : windowsOf(text) }) },
    model: () => new Gpt(text === undefined ? VOCABULARY : CHARACTERS, CONTEXT, { width, heads: 4, layers }),
    loss: (model, { x, y }) => F.crossEntropy(model.forward(x), y, { axis: -1 }),
    optimizer: () => ({ kind: "adamw", lr: 1e-3 }),
    gradientCodec: () => codec,
  };
  return definition as unknown as RunDefinition;
}

type Batch = { readonly x: HostTensor; readonly y: HostTensor };

function randomTokens(random: Random, size: number): Batch {
  const tokens = (): HostTensor => ({ shape: [size, CONTEXT], data: Int32Array.from({ length: size * CONTEXT }, () => random.below(VOCABULARY)) }); // prettier-ignore
  return { x: tokens(), y: tokens() };
}

function windowsOf(text: Bytes): (random: Random, size: number) => Batch {
  return (random, size) => {
    const starts = Array.from({ length: size }, () => random.below(text.length - CONTEXT));
    const from = (shift: number): HostTensor => ({
      shape: [size, CONTEXT],
      data: Int32Array.from(starts.flatMap((start) => [...text.subarray(start + shift, start + shift + CONTEXT)])).map((byte) => byte & 127), // prettier-ignore
    });
    return { x: from(0), y: from(1) };
  };
}
