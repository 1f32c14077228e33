/** Products of two matrices: square ones, and those of attention's and of a batch's lengths. */
import type { BenchCase } from "./bench-case.ts";
import { values } from "./values.ts";

const SHAPES: readonly (readonly [rows: number, inner: number, columns: number])[] = [
  [128, 128, 128],
  [256, 256, 256],
  [512, 512, 512],
  [1024, 1024, 1024],
  [256, 64, 256],
  [1024, 64, 1024],
  [64, 1024, 64],
];

export const matmulCases: readonly BenchCase[] = SHAPES.map(([rows, inner, columns]) => ({
  title: `[${rows}, ${inner}] x [${inner}, ${columns}]`,
  flops: 2 * rows * inner * columns,
  prepare: (programs) =>
    programs.matmul({
      a: values([rows, inner], 1, "matmul a", rows, inner),
      b: values([inner, columns], 1, "matmul b", inner, columns),
    }),
}));
