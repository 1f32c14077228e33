/** A convolution of a batch of images, with the gradients of images and kernel. */
import type { BenchCase } from "./bench-case.ts";
import { values } from "./values.ts";

const [BATCH, INPUTS, OUTPUTS, SIDE] = [8, 32, 64, 32];

export const conv2dCases: readonly BenchCase[] = [
  {
    title: "3x3, 32 -> 64 channels, 32x32, batch 8, forward and backward",
    prepare: (programs) =>
      programs.conv2d({
        x: values([BATCH, INPUTS, SIDE, SIDE], 1, "conv2d x"),
        kernel: values([OUTPUTS, INPUTS, 3, 3], 1 / Math.sqrt(9 * INPUTS), "conv2d kernel"),
        padding: 1,
        weight: values([BATCH, OUTPUTS, SIDE, SIDE], 1, "conv2d weight"),
      }),
  },
];
