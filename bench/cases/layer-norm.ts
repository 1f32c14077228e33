/** Layer normalisation of rows, with weight (`gain`) and bias. */
import type { BenchCase } from "./bench-case.ts";
import type { LayerNormProblem } from "./problem.ts";
import { values } from "./values.ts";

const SHAPE = [1024, 1024];
const ARRAY_BYTES = 4 * 1024 * 1024;

export const layerNormCases: readonly BenchCase[] = [
  {
    title: "[1024, 1024], forward",
    bytes: 2 * ARRAY_BYTES,
    prepare: (programs) => programs.layerNorm(problem(false)),
  },
  {
    title: "[1024, 1024], forward and backward",
    bytes: 3 * ARRAY_BYTES,
    prepare: (programs) => programs.layerNorm(problem(true)),
  },
];

function problem(isDifferentiated: boolean): LayerNormProblem {
  return {
    x: values(SHAPE, 1.5, "layerNorm x"),
    gain: values([1024], 1, "layerNorm gain"),
    bias: values([1024], 1, "layerNorm bias"),
    eps: 1e-5,
    weight: isDifferentiated ? values(SHAPE, 1, "layerNorm weight") : null,
  };
}
