import { cast, reduce } from "../../compiler/graph.ts";
import { defineOp } from "../op.ts";
import { normalizeAxes, withUnitAxes, withoutAxes } from "../shapes.ts";
import type { Tensor } from "../tensor.ts";
import { productsBefore } from "./cumprod.ts";
import { toDType } from "./sum.ts";
import type { Axes, SumOptions } from "./sum.ts";

/** dL/dx[k] = g * (the product before k) * (the product after k): right where elements are 0, one or several. */
const op = defineOp<[Tensor], { axis: number }>({
  name: "prod",
  forward: ([x], { axis }) => reduce("product", x.dtype === "bool" ? cast(x, "int32") : x, [axis]),
  backward: ({ grad, inputs: [x], options: { axis } }) => {
    if (x.size === 0) return [grad.expand(x.shape)];
    const after = productsBefore(x.flip(axis), axis).flip(axis);
    return [grad.mul(productsBefore(x, axis).mul(after))];
  },
});

/** The product over `axes`, 1 over none; bools count in int32. Several axes are brought to the end and merged. */
export function prod(x: Tensor, axes: Axes = null, { keepDim = false, dtype }: SumOptions = {}): Tensor {
  const rank = x.shape.length;
  const list = normalizeAxes("prod", axes, rank);
  const outShape = keepDim ? withUnitAxes(x.shape, list) : withoutAxes(x.shape, list);
  const values = toDType(x, dtype);
  const [only] = list;
  if (list.length === 1 && only !== undefined) return op([values], { axis: only }).reshape(outShape);
  const rest = x.shape.flatMap((_, axis) => (list.includes(axis) ? [] : [axis]));
  const merged = list.reduce((count, axis) => count * (x.shape[axis] ?? 1), 1);
  const lines = values.permute([...rest, ...list]).reshape([...withoutAxes(x.shape, list), merged]);
  return op([lines], { axis: rest.length }).reshape(outShape);
}
