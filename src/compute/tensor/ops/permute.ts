import { OptionError, ShapeError } from "../../../base/errors.ts";
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

/** Axes `a` and `b` exchanged. @throws OptionError */
export function transpose(x: Tensor, a: number, b: number): Tensor {
  const rank = x.shape.length;
  const first = normalizeAxis("transpose", a, rank);
  const second = normalizeAxis("transpose", b, rank);
  const order = x.shape.map((_, axis) => (axis === first ? second : axis === second ? first : axis));
  return permute(x, order);
}

/** Axes `from` at the places `to`, in this order; the others keep theirs among them. @throws OptionError */
export function movedim(x: Tensor, from: number | readonly number[], to: number | readonly number[]): Tensor {
  const rank = x.shape.length;
  const sources = axesInOrder("movedim", from, rank);
  const targets = axesInOrder("movedim", to, rank);
  if (sources.length !== targets.length) {
    throw new OptionError(`movedim: expected as many places as axes, found ${formatShape(targets)} for ${formatShape(sources)}`); // prettier-ignore
  }
  const rest = x.shape.map((_, axis) => axis).filter((axis) => !sources.includes(axis));
  const order = x.shape.map((_, place) => sources[targets.indexOf(place)] ?? -1);
  return permute(x, order.map((axis) => (axis === -1 ? (rest.shift() ?? axis) : axis))); // prettier-ignore
}

/** Distinct axes from 0, in the order given. */
function axesInOrder(operation: string, axes: number | readonly number[], rank: number): number[] {
  normalizeAxes(operation, axes, rank);
  return (typeof axes === "number" ? [axes] : axes).map((axis) => normalizeAxis(operation, axis, rank));
}

/** The transpose of a matrix; a vector or a number as it is. @throws ShapeError */
export function matrixTranspose(x: Tensor): Tensor {
  if (x.shape.length > 2) throw new ShapeError(`t: expected at most two axes, found ${formatShape(x.shape)}`);
  return x.shape.length === 2 ? transpose(x, 0, 1) : x;
}
