import { normalizeAxes, withUnitAxes, withoutAxes } from "../shapes.ts";
import type { Tensor } from "../tensor.ts";
import { logSumExpKept } from "./softmax.ts";
import type { Axes, ReduceOptions } from "./sum.ts";

/** log(sum(e^x)) over `axes`, without overflow; several axes are brought to the end and merged. */
export function logSumExp(x: Tensor, axes: Axes = null, { keepDim = false }: ReduceOptions = {}): Tensor {
  const list = normalizeAxes("logSumExp", axes, x.shape.length);
  const rest = x.shape.flatMap((_, axis) => (list.includes(axis) ? [] : [axis]));
  const merged = x.permute([...rest, ...list]).reshape([...withoutAxes(x.shape, list), -1]);
  return logSumExpKept(merged, -1).reshape(keepDim ? withUnitAxes(x.shape, list) : withoutAxes(x.shape, list));
}
