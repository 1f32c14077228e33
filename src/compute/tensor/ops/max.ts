import { cast, reduce } from "../../compiler/graph.ts";
import { iotaTensor } from "../source.ts";
import { defineOp } from "../op.ts";
import { normalizeAxes, withoutAxes } from "../shapes.ts";
import type { Tensor } from "../tensor.ts";
import { amax, amin, checkNotEmpty } from "./amax.ts";
import { argmax, argmin } from "./argmax.ts";
import { maximum } from "./maximum.ts";
import { minimum } from "./minimum.ts";
import type { Axes, ReduceOptions } from "./sum.ts";

interface Settings {
  readonly axis: number;
  readonly fn: "maximum" | "minimum";
}

/** dL/dx = g at the first of the elements that are best, else 0. */
const op = defineOp<[Tensor], Settings>({
  name: "max",
  forward: ([x], { axis, fn }) => {
    if (x.dtype !== "bool") return reduce(fn, x, [axis]);
    return cast(reduce(fn, cast(x, "int32"), [axis]), "bool");
  },
  backward: ({ grad, inputs: [x], options: { axis, fn } }) => {
    const first = (fn === "maximum" ? argmax : argmin)(x, axis, { keepDim: true });
    return [iotaTensor(x.shape, axis).eq(first).where(grad, 0)];
  },
});

/**
 * The largest element over `axes`. Along one axis, the first of equals gets the gradient, and `argmax` tells where it
 * is; over all or several, equals share it. With a tensor in place of axes: `maximum`. @throws ShapeError over nothing
 */
export function max(x: Tensor, axes: Axes | Tensor = null, options: ReduceOptions = {}): Tensor {
  if (isTensor(axes)) return maximum(x, axes);
  return typeof axes === "number" ? along("max", "maximum", x, axes, options) : amax(x, axes, options);
}

/**
 * The smallest element over `axes`. Along one axis, the first of equals gets the gradient, and `argmin` tells where it
 * is; over all or several, equals share it. With a tensor in place of axes: `minimum`. @throws ShapeError over nothing
 */
export function min(x: Tensor, axes: Axes | Tensor = null, options: ReduceOptions = {}): Tensor {
  if (isTensor(axes)) return minimum(x, axes);
  return typeof axes === "number" ? along("min", "minimum", x, axes, options) : amin(x, axes, options);
}

function isTensor(axes: Axes | Tensor): axes is Tensor {
  return typeof axes === "object" && axes !== null && "dtype" in axes;
}

function along(name: string, fn: Settings["fn"], x: Tensor, axis: number, { keepDim = false }: ReduceOptions): Tensor {
  const list = normalizeAxes(name, axis, x.shape.length);
  checkNotEmpty(name, x, list);
  const kept = op([x], { axis: list[0] ?? 0, fn });
  return keepDim ? kept : kept.reshape(withoutAxes(x.shape, list));
}
