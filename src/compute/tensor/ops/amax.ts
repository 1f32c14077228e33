import { ShapeError } from "../../../base/errors.ts";
import { cast, reduce } from "../../compiler/graph.ts";
import { elementCount, formatShape } from "../../layout/shape.ts";
import { defineOp } from "../op.ts";
import { normalizeAxes, withoutAxes } from "../shapes.ts";
import type { Tensor } from "../tensor.ts";
import type { Axes, ReduceOptions } from "./sum.ts";

interface Settings {
  readonly axes: readonly number[];
  readonly fn: "maximum" | "minimum";
}

/** dL/dx = g / n at each of the n elements that are equal to the output, else 0. */
const op = defineOp<[Tensor], Settings>({
  name: "amax",
  forward: ([x], { axes, fn }) => {
    if (x.dtype !== "bool") return reduce(fn, x, axes);
    return cast(reduce(fn, cast(x, "int32"), axes), "bool");
  },
  backward: ({ grad, inputs: [x], output, options: { axes } }) => {
    const isBest = x.eq(output);
    const count = isBest.cast(grad.dtype).sum(axes, { keepDim: true });
    return [isBest.where(grad.div(count), 0)];
  },
});

/** The largest element over `axes`; equal ones share the gradient. @throws ShapeError over nothing */
export function amax(x: Tensor, axes: Axes = null, options: ReduceOptions = {}): Tensor {
  return best("amax", "maximum", x, axes, options);
}

/** The smallest element over `axes`; equal ones share the gradient. @throws ShapeError over nothing */
export function amin(x: Tensor, axes: Axes = null, options: ReduceOptions = {}): Tensor {
  return best("amin", "minimum", x, axes, options);
}

/** Both. @throws ShapeError over nothing */
export function aminmax(x: Tensor, axes: Axes = null, options: ReduceOptions = {}): { min: Tensor; max: Tensor } {
  return { min: amin(x, axes, options), max: amax(x, axes, options) };
}

function best(name: string, fn: Settings["fn"], x: Tensor, axes: Axes, { keepDim = false }: ReduceOptions): Tensor {
  const list = normalizeAxes(name, axes, x.shape.length);
  checkNotEmpty(name, x, list);
  const kept = op([x], { axes: list, fn });
  return keepDim ? kept : kept.reshape(withoutAxes(x.shape, list));
}

/** @throws ShapeError when one of `axes` has size 0, unless no result is wanted: nothing is the best of nothing */
export function checkNotEmpty(name: string, x: Tensor, axes: readonly number[]): void {
  const isWanted = elementCount(withoutAxes(x.shape, axes)) > 0;
  if (isWanted && axes.some((axis) => x.shape[axis] === 0)) {
    throw new ShapeError(`${name}: expected axes that are not empty, found ${formatShape(axes)} of ${formatShape(x.shape)}`); // prettier-ignore
  }
}
