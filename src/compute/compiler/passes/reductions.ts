/**
 * Reductions of what repeats, of constants, and of reductions.
 *
 * Integers, minima and maxima stay the same to the bit. A float sum may be rounded otherwise: a sum of sums becomes one
 * sum, whose error bound is that of as many terms, and n times the same term is a product, rounded once. Both depend on
 * the graph alone: the same bits every time.
 */
import { axisGroups } from "../../layout/axis-groups.ts";
import { elementCount, sameShape } from "../../layout/shape.ts";
import { foldedBinary, reduceIdentity } from "../fold.ts";
import { binary, constant, expand, highOf, pad, permute, reduce, reshape } from "../graph.ts";
import type { Node, Shape } from "../ir.ts";
import { isAscending } from "./axes.ts";
import { any, constantOf, on, rule, type NodeOf, type Rule } from "./pattern.ts";

/** `count` as a constant of an integer dtype wraps around; as a float it is rounded. */
function countAs(count: number, { dtype }: Node): number {
  return dtype === "int32" ? count | 0 : count;
}

/** Elements that one result is made of. */
function lengthOf(shape: Shape, axes: readonly number[]): number {
  return axes.reduce((count, axis) => count * (shape[axis] ?? 1), 1);
}

const SMALL: readonly Rule[] = [
  rule({
    name: "axes of size 1 are not reduced",
    pattern: on("reduce", { as: "op" }, any("x")),
    rewrite: ({ op: { primitive }, x }) => {
      const axes = primitive.axes.filter((axis) => x.shape[axis] !== 1);
      return axes.length < primitive.axes.length ? reduce(primitive.fn, x, axes) : undefined;
    },
  }),
  rule({
    name: "a reduction of a constant is a constant",
    rounding: "a product or power is rounded once",
    pattern: on("reduce", { as: "op" }, constantOf("c")),
    rewrite: ({ op, c }) => {
      const { fn, axes } = op.primitive;
      const { value } = c.primitive;
      if (fn === "minimum" || fn === "maximum") return constant(value, op.shape, op.dtype);
      const count = countAs(lengthOf(c.shape, axes), op);
      return constant(foldedBinary(fn === "sum" ? "multiply" : "power", value, count, op.dtype), op.shape, op.dtype);
    },
  }),
];

const REPEATED: readonly Rule[] = [
  rule({
    name: "what is repeated is reduced once",
    rounding: "n times a sum is rounded once, where n sums of it are n times",
    pattern: on("reduce", { as: "op" }, on("expand", { as: "repeated" }, any("x"))),
    rewrite: ({ op, repeated, x }) => {
      const { fn, axes } = op.primitive;
      const isRepeated = (axis: number): boolean => x.shape[axis] !== repeated.shape[axis];
      const times = lengthOf(repeated.shape, axes.filter(isRepeated));
      // Over the repeated axes there is no sum to make, but for those on which a product would be a power.
      if (fn === "product" && times > 1) return undefined;
      const once = reduce(fn, x, axes);
      const all = fn === "sum" && times > 1 ? timesOf(once, times) : once;
      return expand(all, op.shape);
    },
  }),
];

function timesOf(x: Node, count: number): Node {
  return binary("multiply", x, constant(countAs(count, x), x.shape, x.dtype));
}

/** Reductions of permuted elements: also for a graph whose long reductions have been cut. */
export const REDUCED_VIEWS: readonly Rule[] = [
  rule({
    name: "a reduction goes beneath a permute that keeps the order of what is reduced",
    pattern: on("reduce", { as: "op" }, on("permute", { as: "moved" }, any("x"))),
    rewrite: ({ op, moved, x }) => (isAscending(axesBeneath(op, moved)) ? reduceBeneath(op, moved, x) : undefined),
  }),
];

const NESTED: readonly Rule[] = [
  rule({
    name: "a reduction of a reduction is one over the axes of both",
    rounding: "the terms are the same, their sums are rounded in another order",
    pattern: on("reduce", { as: "outer" }, on("reduce", { as: "inner", isReadOnce: true }, any("x"))),
    rewrite: ({ outer, inner, x }) => {
      const { fn, axes } = outer.primitive;
      return inner.primitive.fn === fn ? reduce(fn, x, [...new Set([...axes, ...inner.primitive.axes])]) : undefined;
    },
  }),
  rule({
    name: "a reduction of a reshaped reduction is one over the axes of both",
    rounding: "the terms are the same, their sums are rounded in another order",
    pattern: on(
      "reduce",
      { as: "outer" },
      on("reshape", {}, on("reduce", { as: "inner", isReadOnce: true }, any("x"))),
    ),
    rewrite: ({ outer, inner, x }) => reduceBeneathReshape(outer, inner, x),
  }),
  rule({
    name: "a reduction goes beneath a permute, and reads in the order of memory",
    rounding: "the terms are the same, their sums are rounded in another order",
    pattern: on("reduce", { as: "op" }, on("permute", { as: "moved" }, any("x"))),
    rewrite: ({ op, moved, x }) => (isAscending(axesBeneath(op, moved)) ? undefined : reduceBeneath(op, moved, x)),
  }),
];

/** The axes of a reduction, as the input of a permute has them. */
function axesBeneath({ primitive }: NodeOf<"reduce">, moved: NodeOf<"permute">): number[] {
  return primitive.axes.map((axis) => moved.primitive.order[axis] ?? axis);
}

function reduceBeneath(op: NodeOf<"reduce">, moved: NodeOf<"permute">, x: Node): Node {
  return permute(reduce(op.primitive.fn, x, axesBeneath(op, moved)), moved.primitive.order);
}

function reduceBeneathReshape(outer: NodeOf<"reduce">, inner: NodeOf<"reduce">, x: Node): Node | undefined {
  const { fn, axes } = outer.primitive;
  const [reshaped] = outer.inputs;
  if (inner.primitive.fn !== fn || reshaped === undefined || elementCount(inner.shape) === 0) return undefined;
  const both = new Set(inner.primitive.axes);
  for (const { from, fromEnd, to, toEnd } of axisGroups(inner.shape, reshaped.shape)) {
    const isReduced = reshaped.shape.slice(to, toEnd).map((size, i) => size === 1 || axes.includes(to + i));
    const isKept = reshaped.shape.slice(to, toEnd).map((size, i) => size === 1 || !axes.includes(to + i));
    if (isKept.every(Boolean)) continue;
    if (!isReduced.every(Boolean)) return undefined;
    for (let axis = from; axis < fromEnd; axis++) both.add(axis);
  }
  return reshape(reduce(fn, x, [...both]), outer.shape);
}

const PADDED: readonly Rule[] = [
  rule({
    name: "padding that changes no reduction is left out",
    pattern: on("reduce", { as: "op" }, on("pad", { as: "padded" }, any("x"))),
    rewrite: ({ op, padded, x }) => {
      const { fn, axes } = op.primitive;
      const { low, interior, value } = padded.primitive;
      if (value !== reduceIdentity(fn, op.dtype) || x.shape.includes(0)) return undefined;
      const high = highOf(padded);
      const isLeftOut = (axis: number): boolean =>
        axes.includes(axis) && (low[axis] ?? 0) >= 0 && (high[axis] ?? 0) >= 0;
      const kept = (list: readonly number[]): number[] => list.map((count, axis) => (isLeftOut(axis) ? 0 : count));
      const less = pad(x, { low: kept(low), high: kept(high), interior: kept(interior), value });
      return sameShape(less.shape, padded.shape) ? undefined : reduce(fn, less, axes);
    },
  }),
];

/** Rules of reductions; not for a graph whose long reductions have been cut, which they would join again. */
export const REDUCTIONS: readonly Rule[] = [...SMALL, ...REPEATED, ...REDUCED_VIEWS, ...NESTED, ...PADDED];
