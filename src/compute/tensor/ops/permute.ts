import { OptionError } from "../../../base/errors.ts";
import { permute as permuteNode } from "../../compiler/graph.ts";
import { defineOp } from "../op.ts";
import { formatShape } from "../../layout/shape.ts";
import { normalizeAxes, normalizeAxis } from "../shapes.ts";
import type { Tensor } from "../tensor.ts";

/** dL/dx = g, permuted back. */
const op = defineOp<[Tensor], { order: readonly number[] }>({
  name: "permute",
  forward: ([x], { order }) => permuteNode(x, order),
  backward: ({ grad, options: { order } }) => [grad.permute(order.map((_, axis) => order.indexOf(axis)))],
});

/** Axis i of the result is axis order[i] of `x`; no bytes move. @throws OptionError */
export function permute(x: Tensor, order: readonly number[]): Tensor {
  const rank = x.shape.length;
  if (normalizeAxes("permute", order, rank).length !== rank) {
    throw new OptionError(`permute: expected all ${rank} axes, found ${formatShape(order)}`);
  }
  const axes = order.map((axis) => normalizeAxis("permute", axis, rank));
  return axes.every((axis, i) => axis === i) ? x : op([x], { order: axes });
}

/** Axes `a` and `b` exchanged. */
export function transpose(x: Tensor, a: number, b: number): Tensor {
  const rank = x.shape.length;
  const first = normalizeAxis("transpose", a, rank);
  const second = normalizeAxis("transpose", b, rank);
  const order = x.shape.map((_, axis) => (axis === first ? second : axis === second ? first : axis));
  return permute(x, order);
}
