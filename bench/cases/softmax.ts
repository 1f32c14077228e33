/** Softmax of rows. */
import type { BenchCase } from "./bench-case.ts";
import { values } from "./values.ts";

const SHAPE = [1024, 1024];
const ARRAY_BYTES = 4 * 1024 * 1024;

export const softmaxCases: readonly BenchCase[] = [
  {
    title: "[1024, 1024], forward",
    bytes: 2 * ARRAY_BYTES,
    prepare: (programs) => programs.softmax({ x: values(SHAPE, 2, "softmax x"), weight: null }),
  },
  {
    title: "[1024, 1024], forward and backward",
    bytes: 3 * ARRAY_BYTES,
    prepare: (programs) =>
      programs.softmax({ x: values(SHAPE, 2, "softmax x"), weight: values(SHAPE, 1, "softmax weight") }),
  },
];
