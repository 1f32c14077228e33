import { cast, reduce } from "../../compiler/graph.ts";
import { iotaTensor } from "../source.ts";
import { defineOp } from "../op.ts";
import { normalizeAxes, withUnitAxes, withoutAxes } from "../shapes.ts";
import type { Tensor } from "../tensor.ts";
import { argmax, argmin } from "./argmax.ts";
import type { Axes, ReduceOptions } from "./sum.ts";

interface Settings {
  readonly axis: number;
  readonly fn: "maximum" | "minimum";
}

/** dL/dx = g at the first of the elements that are best, else 0. */
const op = defineOp<[Tensor], Settings>({
  name: "max",
  forward: ([x], { axis, fn }) => reduce(fn, x.dtype === "bool" ? cast(x, "int32") : x, [axis]),
  backward: ({ grad, inputs: [x], options: { axis, fn } }) => {
    const first = (fn === "maximum" ? argmax : argmin)(x, axis, { keepDim: true });
    return [iotaTensor(x.shape, axis).eq(first).where(grad, 0)];
  },
});

/** The largest element over `axes`. */
export function max(x: Tensor, axes: Axes = null, options: ReduceOptions = {}): Tensor {
  return best("max", "maximum", x, axes, options);
}

/** The smallest element over `axes`. */
export function min(x: Tensor, axes: Axes = null, options: ReduceOptions = {}): Tensor {
  return best("min", "minimum", x, axes, options);
}

/** Several axes are brought to the end and merged, so that the first of equals is the first in row-major order. */
function best(name: string, fn: Settings["fn"], x: Tensor, axes: Axes, { keepDim = false }: ReduceOptions): Tensor {
  const rank = x.shape.length;
  const list = normalizeAxes(name, axes, rank);
  const outShape = keepDim ? withUnitAxes(x.shape, list) : withoutAxes(x.shape, list);
  const [only] = list;
  if (list.length === 1 && only !== undefined) return op([x], { axis: only, fn }).reshape(outShape);
  const rest = Array.from({ length: rank }, (_, axis) => axis).filter((axis) => !list.includes(axis));
  const merged = x.permute([...rest, ...list]).reshape([...withoutAxes(x.shape, list), -1]);
  return op([merged], { axis: rest.length, fn }).reshape(outShape);
}
