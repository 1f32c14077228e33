import { binary, constant, expand, reduce } from "../../compiler/graph.ts";
import type { Node } from "../../compiler/ir.ts";
import { defineWideOp } from "../wide-op.ts";
import { toFloat } from "../operands.ts";
import { normalizeAxes, sizeOf, withoutAxes } from "../shapes.ts";
import type { Tensor } from "../tensor.ts";
import type { Axes, ReduceOptions } from "./sum.ts";

/** Options of `var` and `std`. */
export interface VarianceOptions extends ReduceOptions {
  /** Taken from the count: 1 (the default) estimates from a sample, 0 is of the whole. */
  readonly correction?: number;
}

interface Settings {
  readonly axes: readonly number[];
  readonly count: number;
  readonly correction: number;
}

/** With m = mean(x): dL/dx = g * 2 (x - m) / (n - correction). */
const op = defineWideOp<[Tensor], Settings>({
  name: "variance",
  forward: ([x], { axes, count, correction }) => {
    const mean = expand(times(reduce("sum", x, axes), 1 / count), x.shape);
    const centered = binary("subtract", x, mean);
    return times(reduce("sum", binary("multiply", centered, centered), axes), 1 / (count - correction));
  },
  backward: ({ grad, inputs: [x], options: { axes, count, correction } }) => {
    const centered = x.sub(x.mean(axes, { keepDim: true }));
    return [centered.mul(grad).mul(2 / (count - correction))];
  },
});

function times(x: Node, factor: number): Node {
  return binary("multiply", x, constant(factor, x.shape, x.dtype));
}

/** The mean squared distance from the mean over `axes`, in two passes. */
export function variance(
  x: Tensor,
  axes: Axes = null,
  { keepDim = false, correction = 1 }: VarianceOptions = {},
): Tensor {
  const list = normalizeAxes("var", axes, x.shape.length);
  const count = list.reduce((product, axis) => product * sizeOf(x.shape, axis), 1);
  const kept = op([toFloat(x)], { axes: list, count, correction });
  return keepDim ? kept : kept.reshape(withoutAxes(x.shape, list));
}
