/** A step of training of the small GPT of the examples. */
import type { BenchCase } from "./bench-case.ts";
import type { GptSize, HostTensor } from "./problem.ts";
import { indices, values } from "./values.ts";

const SIZE: GptSize = { vocabulary: 65, context: 64, width: 64, heads: 4, layers: 2 };
const BATCH = 8;

export const charGptCases: readonly BenchCase[] = [
  {
    title: "2 layers, width 64, 4 heads, context 64, batch 8, AdamW",
    prepare: (programs) =>
      programs.charGpt({
        size: SIZE,
        weights: Object.fromEntries(weightShapes(SIZE).map(([name, shape]) => [name, initial(name, shape)])),
        tokens: indices([BATCH, SIZE.context], SIZE.vocabulary, "char-gpt tokens"),
        targets: indices([BATCH, SIZE.context], SIZE.vocabulary, "char-gpt targets"),
        adamw: { learningRate: 1e-3, beta1: 0.9, beta2: 0.999, eps: 1e-8, weightDecay: 0.01 },
      }),
  },
];

/** By the names of `examples/gpt.ts`. */
function weightShapes({ vocabulary, context, width, layers }: GptSize): [name: string, shape: number[]][] {
  const block = (i: number): [string, number[]][] => [
    [`blocks.${i}.ln1.weight`, [width]],
    [`blocks.${i}.ln1.bias`, [width]],
    [`blocks.${i}.attention.qkv.weight`, [3 * width, width]],
    [`blocks.${i}.attention.qkv.bias`, [3 * width]],
    [`blocks.${i}.attention.proj.weight`, [width, width]],
    [`blocks.${i}.attention.proj.bias`, [width]],
    [`blocks.${i}.ln2.weight`, [width]],
    [`blocks.${i}.ln2.bias`, [width]],
    [`blocks.${i}.fc.weight`, [4 * width, width]],
    [`blocks.${i}.fc.bias`, [4 * width]],
    [`blocks.${i}.out.weight`, [width, 4 * width]],
    [`blocks.${i}.out.bias`, [width]],
  ];
  return [
    ["wte.weight", [vocabulary, width]],
    ["wpe.weight", [context, width]],
    ...Array.from({ length: layers }, (_, i) => block(i)).flat(),
    ["lnf.weight", [width]],
    ["lnf.bias", [width]],
    ["head.weight", [vocabulary, width]],
  ];
}

/** Ones for what norms multiply with, small numbers elsewhere. */
function initial(name: string, shape: number[]): HostTensor {
  if (/\bln[12f]\.weight$/.test(name)) return { shape, data: new Float32Array(shape[0] ?? 0).fill(1) };
  return values(shape, name.endsWith(".bias") ? 0.02 : 0.1, "char-gpt", name);
}
