/** Whether elements are not 0: some, all, how many. No gradients. */
import { cast, reduce } from "../../compiler/graph.ts";
import { defineOp } from "../op.ts";
import { normalizeAxes, withoutAxes } from "../shapes.ts";
import type { Tensor } from "../tensor.ts";
import { castTo } from "./cast.ts";
import type { Axes, ReduceOptions } from "./sum.ts";

interface Settings {
  readonly axes: readonly number[];
  readonly fn: "maximum" | "minimum";
}

/** In uint32, where the smallest of no elements is not 0 and the largest is. */
const op = defineOp<[Tensor], Settings>({
  name: "any",
  forward: ([x], { axes, fn }) => cast(reduce(fn, cast(x, "uint32"), axes), "bool"),
  backward: null,
});

function quantifier(
  name: string,
  fn: Settings["fn"],
  x: Tensor,
  axes: Axes,
  { keepDim = false }: ReduceOptions,
): Tensor {
  const list = normalizeAxes(name, axes, x.shape.length);
  const kept = op([castTo(x, "bool")], { axes: list, fn });
  return keepDim ? kept : kept.reshape(withoutAxes(x.shape, list));
}

/** Some element over `axes` is not 0 (bool); false over nothing. */
export function any(x: Tensor, axes: Axes = null, options: ReduceOptions = {}): Tensor {
  return quantifier("any", "maximum", x, axes, options);
}

/** No element over `axes` is 0 (bool); true over nothing. */
export function all(x: Tensor, axes: Axes = null, options: ReduceOptions = {}): Tensor {
  return quantifier("all", "minimum", x, axes, options);
}

/** How many elements over `axes` are not 0 (int32). */
export function countNonzero(x: Tensor, axes: Axes = null): Tensor {
  return castTo(x, "bool").sum(axes);
}
