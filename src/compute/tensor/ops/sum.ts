import { cast, reduce } from "../../compiler/graph.ts";
import { defineOp } from "../op.ts";
import { normalizeAxes, withoutAxes } from "../shapes.ts";
import type { Tensor } from "../tensor.ts";

export interface ReduceOptions {
  /** Keep the reduced axes, with size 1. */
  readonly keepDim?: boolean;
}

/** One axis, several, or null for all. */
export type Axes = number | readonly number[] | null;

/** dL/dx = g, repeated along the reduced axes. */
const op = defineOp<[Tensor], { axes: readonly number[] }>({
  name: "sum",
  forward: ([x], { axes }) => reduce("sum", x.dtype === "bool" ? cast(x, "int32") : x, axes),
  backward: ({ grad, inputs: [x] }) => [grad.expand(x.shape)],
});

/** The sum over `axes`, accumulated in the dtype of `x`, in index order; bool counts in int32. */
export function sum(x: Tensor, axes: Axes = null, { keepDim = false }: ReduceOptions = {}): Tensor {
  const list = normalizeAxes("sum", axes, x.shape.length);
  const kept = list.length === 0 ? x : op([x], { axes: list });
  return keepDim ? kept : kept.reshape(withoutAxes(x.shape, list));
}
