import { OptionError } from "../../../base/errors.ts";
import { reshape as reshapeNode } from "../../compiler/graph.ts";
import type { Shape } from "../../compiler/ir.ts";
import { defineOp } from "../op.ts";
import { elementCount, sameShape } from "../../layout/shape.ts";
import { inferShape, normalizeAxes, normalizeAxis } from "../shapes.ts";
import type { Tensor } from "../tensor.ts";
import type { Axes } from "./sum.ts";

/** dL/dx = g in the shape of x. */
const op = defineOp<[Tensor], { shape: Shape }>({
  name: "reshape",
  forward: ([x], { shape }) => reshapeNode(x, shape),
  backward: ({ grad, inputs: [x] }) => [grad.reshape(x.shape)],
});

/** The same elements in row-major order; one size may be -1. @throws ShapeError */
export function reshape(x: Tensor, shape: Shape): Tensor {
  const target = inferShape("reshape", shape, elementCount(x.shape));
  return sameShape(x.shape, target) ? x : op([x], { shape: target });
}

/** Axes `from` to `to`, inclusive, merged into one. */
export function flatten(x: Tensor, from = 0, to = -1): Tensor {
  const rank = x.shape.length;
  if (rank === 0) return reshape(x, [1]);
  const first = normalizeAxis("flatten", from, rank);
  const last = normalizeAxis("flatten", to, rank);
  if (last < first) throw new OptionError(`flatten: expected an end from axis ${first} on, found ${last}`);
  const merged = elementCount(x.shape.slice(first, last + 1));
  return reshape(x, [...x.shape.slice(0, first), merged, ...x.shape.slice(last + 1)]);
}

/** Without the axes of size 1, or those of `axes` that have it: others stay, as in PyTorch. @throws OptionError */
export function squeeze(x: Tensor, axes: Axes = null): Tensor {
  const list = normalizeAxes("squeeze", axes, x.shape.length);
  return reshape(x, x.shape.filter((size, axis) => size !== 1 || !list.includes(axis))); // prettier-ignore
}

/** With a new axis of size 1 at `axis`. */
export function unsqueeze(x: Tensor, axis: number): Tensor {
  const at = normalizeAxis("unsqueeze", axis, x.shape.length + 1);
  return reshape(x, [...x.shape.slice(0, at), 1, ...x.shape.slice(at)]);
}

/** `axis` split into axes of `sizes`, one of which may be -1. @throws OptionError, ShapeError */
export function unflatten(x: Tensor, axis: number, sizes: Shape): Tensor {
  const at = normalizeAxis("unflatten", axis, x.shape.length);
  const parts = inferShape("unflatten", sizes, x.shape[at] ?? 0);
  return reshape(x, [...x.shape.slice(0, at), ...parts, ...x.shape.slice(at + 1)]);
}
