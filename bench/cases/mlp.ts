/** A step of training for handwritten digits. */
import type { BenchCase } from "./bench-case.ts";
import { indices, values } from "./values.ts";

const SIZES = [784, 256, 256, 10];
const BATCH = 128;

export const mlpCases: readonly BenchCase[] = [
  {
    title: "784-256-256-10, batch 128, SGD",
    prepare: (programs) =>
      programs.mlp({
        layers: SIZES.slice(1).map((outputs, i) => {
          const inputs = SIZES[i] ?? 1;
          return {
            weight: values([inputs, outputs], Math.sqrt(2 / inputs), "mlp weight", i),
            bias: values([outputs], 0.1, "mlp bias", i),
          };
        }),
        x: values([BATCH, SIZES[0] ?? 1], 1, "mlp x"),
        labels: indices([BATCH], 10, "mlp labels"),
        learningRate: 0.01,
      }),
  },
];
