/** Causal attention of one sequence, with the gradients of queries, keys and values. */
import type { BenchCase } from "./bench-case.ts";
import { values } from "./values.ts";

const SHAPE = [4, 512, 64];

export const attentionCases: readonly BenchCase[] = [
  {
    title: "512 places, 4 heads of 64, causal, forward and backward",
    prepare: (programs) =>
      programs.attention({
        q: values(SHAPE, 1, "attention q"),
        k: values(SHAPE, 1, "attention k"),
        v: values(SHAPE, 1, "attention v"),
        weight: values(SHAPE, 1, "attention weight"),
      }),
  },
];
