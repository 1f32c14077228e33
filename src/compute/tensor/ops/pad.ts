import { OptionError } from "../../../base/errors.ts";
import { pad as padNode } from "../../compiler/graph.ts";
import { defineOp } from "../op.ts";
import { formatShape } from "../../layout/shape.ts";
import type { Tensor } from "../tensor.ts";

/** `value` around x: `low` before and `high` after it, `interior` between neighbours, on each axis. */
export interface Padding {
  readonly low: readonly number[];
  readonly high: readonly number[];
  readonly interior: readonly number[];
  readonly value: number;
}

/** dL/dx = g where x went. */
const op = defineOp<[Tensor], Padding>({
  name: "pad",
  forward: ([x], padding) => padNode(x, padding),
  backward: ({ grad, inputs: [x], options: { low, interior } }) => {
    const ranges = x.shape.map((size, axis): [number, number, number] => {
      const start = low[axis] ?? 0;
      const step = (interior[axis] ?? 0) + 1;
      return [start, start + (size - 1) * step + 1, step];
    });
    return [grad.slice(ranges)];
  },
});

/** As `pad`, with all that the graph offers. */
export function padWith(x: Tensor, padding: Padding): Tensor {
  const { low, high, interior } = padding;
  return [...low, ...high, ...interior].every((count) => count === 0) ? x : op([x], padding);
}

/** `value` around `x`: [before, after] for the last axis, then for the one before it, as in PyTorch. @throws OptionError */
export function pad(x: Tensor, padding: readonly number[], value = 0): Tensor {
  const rank = x.shape.length;
  if (padding.length % 2 !== 0 || padding.length > 2 * rank || padding.some((n) => n < 0 || !Number.isInteger(n))) {
    throw new OptionError(
      `pad: expected pairs of whole numbers from 0 for at most ${rank} axes, found ${formatShape(padding)}`,
    );
  }
  const low = x.shape.map((_, axis) => padding[2 * (rank - 1 - axis)] ?? 0);
  const high = x.shape.map((_, axis) => padding[2 * (rank - 1 - axis) + 1] ?? 0);
  return padWith(x, { low, high, interior: x.shape.map(() => 0), value });
}
