import { cast, reduce } from "../../compiler/graph.ts";
import type { DType } from "../../layout/dtype.ts";
import { defineOp } from "../op.ts";
import { normalizeAxes, withoutAxes } from "../shapes.ts";
import type { Tensor } from "../tensor.ts";
import { castTo } from "./cast.ts";

/** Options of reductions. */
export interface ReduceOptions {
  /** Keep the reduced axes, with size 1. */
  readonly keepDim?: boolean;
}

/** For reductions that can change the dtype. */
export interface DTypeOption {
  /** Cast to it first. */
  readonly dtype?: DType | undefined;
}

/** Options of `sum`, `mean`, `prod` and their relatives. */
export interface SumOptions extends ReduceOptions, DTypeOption {}

/** One axis, several, or null for all. */
export type Axes = number | readonly number[] | null;

/** dL/dx = g, repeated along the reduced axes. */
const op = defineOp<[Tensor], { axes: readonly number[] }>({
  name: "sum",
  forward: ([x], { axes }) => reduce("sum", x.dtype === "bool" ? cast(x, "int32") : x, axes),
  backward: ({ grad, inputs: [x] }) => [grad.expand(x.shape)],
});

/** The sum over `axes`, accumulated in the dtype of `x` (float16 in float32), in index order; bool counts in int32. */
export function sum(x: Tensor, axes: Axes = null, { keepDim = false, dtype }: SumOptions = {}): Tensor {
  const list = normalizeAxes("sum", axes, x.shape.length);
  const kept = op([toDType(x, dtype)], { axes: list });
  return keepDim ? kept : kept.reshape(withoutAxes(x.shape, list));
}

/** `x` cast to an option's dtype, if there is one. */
export function toDType(x: Tensor, dtype: DType | undefined): Tensor {
  return dtype === undefined ? x : castTo(x, dtype);
}
