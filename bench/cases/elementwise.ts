/** GELU by its formula: what a library makes of eight operations in a row, and of their gradients. */
import type { BenchCase } from "./bench-case.ts";
import { values } from "./values.ts";

const SHAPE = [1 << 20];
const ARRAY_BYTES = 4 * (1 << 20);

export const elementwiseCases: readonly BenchCase[] = [
  {
    title: "gelu, 2^20 values, forward",
    bytes: 2 * ARRAY_BYTES,
    prepare: (programs) => programs.gelu({ x: values(SHAPE, 1, "gelu x"), weight: null }),
  },
  {
    title: "gelu, 2^20 values, forward and backward",
    bytes: 3 * ARRAY_BYTES,
    prepare: (programs) => programs.gelu({ x: values(SHAPE, 1, "gelu x"), weight: values(SHAPE, 1, "gelu weight") }),
  },
];
