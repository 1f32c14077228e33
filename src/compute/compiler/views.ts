/** Views as index arithmetic: which element of its input an element of a view is. */
import { InvariantError } from "../../base/errors.ts";
import { add, and, divide, equal, greaterEqual, i32, less, multiply, remainder, subtract } from "../lang/build.ts";
import { bool } from "../lang/build.ts";
import type { Expr } from "../lang/kernel.ts";
import { flatten, unflatten, type Index } from "../kernels/grid.ts";
import { axisGroups } from "../layout/axis-groups.ts";
import type { Node, Shape } from "./ir.ts";

/** Nodes whose elements are elements of their first input, wherever the index leads. */
export type ViewNode = Node & {
  readonly primitive: { readonly kind: "reshape" | "permute" | "expand" | "slice" | "window" | "barrier" };
};

/** True for reshape, permute, expand, slice, window and barrier. */
export function isView(node: Node): node is ViewNode {
  switch (node.primitive.kind) {
    case "reshape":
    case "permute":
    case "expand":
    case "slice":
    case "window":
    case "barrier":
      return true;
    default:
      return false;
  }
}

/** The index into the view's input. */
export function indexBehindView(view: ViewNode, inputShape: Shape, index: Index): Index {
  const { primitive } = view;
  switch (primitive.kind) {
    case "barrier":
      return index;
    case "reshape":
      return regroup(index, view.shape, inputShape);
    case "permute": {
      const out = [...index];
      for (const [i, axis] of primitive.order.entries()) out[axis] = index[i] ?? i32(0);
      return out;
    }
    case "expand":
      return index.map((at, axis) => (inputShape[axis] === 1 ? i32(0) : at));
    case "slice":
      return index.map((at, axis) => {
        if (inputShape[axis] === 1) return i32(0);
        return add(multiply(at, i32(primitive.steps[axis] ?? 1)), i32(primitive.starts[axis] ?? 0));
      });
    case "window": {
      const inWindow = multiply(index.at(-1) ?? i32(0), i32(primitive.dilation));
      return index
        .slice(0, -1)
        .map((at, axis) => (axis === primitive.axis ? add(multiply(at, i32(primitive.stride)), inWindow) : at));
    }
  }
}

/** The index of a reshape or permute from that of its input: the inverse of `indexBehindView`. */
export function indexAheadOfView(view: Node, inputShape: Shape, index: Index): Index {
  const { primitive } = view;
  if (primitive.kind === "reshape") return regroup(index, inputShape, view.shape);
  if (primitive.kind === "permute") return primitive.order.map((axis) => index[axis] ?? i32(0));
  throw new InvariantError(`indexAheadOfView: expected a reshape or permute, found ${primitive.kind}`);
}

/** Where an element of a pad comes from, and whether it comes from anywhere: outside, the index means nothing. */
export function indexBehindPad(pad: Node, inputShape: Shape, index: Index): { index: Index; isInside: Expr } {
  const { primitive } = pad;
  if (primitive.kind !== "pad") throw new InvariantError(`indexBehindPad: expected a pad, found ${primitive.kind}`);
  let isInside: Expr = bool(true);
  const behind = index.map((at, axis) => {
    const step = (primitive.interior[axis] ?? 0) + 1;
    const size = inputShape[axis] ?? 1;
    const from = subtract(at, i32(primitive.low[axis] ?? 0));
    const inRange = and(greaterEqual(from, i32(0)), less(from, i32((size - 1) * step + 1)));
    isInside = and(isInside, inRange);
    if (size === 1) return i32(0);
    if (step === 1) return from;
    isInside = and(isInside, equal(remainder(from, i32(step)), i32(0)));
    return divide(from, i32(step));
  });
  return { index: behind, isInside };
}

/**
 * An index into `from`, as the index into `to` of the same element in row-major order.
 *
 * Axes are matched in the smallest groups of equal size, so that [B, T, C] -> [B * T, C] touches the first two alone.
 */
export function regroup(index: Index, from: Shape, to: Shape): Index {
  return axisGroups(from, to).flatMap((group) => {
    const sizes = from.slice(group.from, group.fromEnd);
    const flat = flatten(index.slice(group.from, group.fromEnd), sizes);
    return unflatten(flat, to.slice(group.to, group.toEnd));
  });
}
