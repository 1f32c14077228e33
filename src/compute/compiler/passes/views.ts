/**
 * Views in a normal form: from the leaves on slices, then reshapes, permutes, pads, and expands last. So pairs meet that
 * undo each other or are one, and equal values that were reached by different views become the same nodes.
 *
 * All rules here move elements, and change none.
 */
import { axisGroups } from "../../layout/axis-groups.ts";
import { elementCount } from "../../layout/shape.ts";
import { expand, iota, pad, permute, highOf, reshape, slice } from "../graph.ts";
import type { Node, Shape } from "../ir.ts";
import { at, isAscending, wideAxes } from "./axes.ts";
import { any, on, rule, type NodeOf, type Rule } from "./pattern.ts";
import { sliceOfPad } from "./slice-of-pad.ts";

/** `list` as the input of a permute has it. */
function beneath<T>(order: readonly number[], list: readonly T[]): T[] {
  const out = [...list];
  for (const [i, axis] of order.entries()) {
    const value = list[i];
    if (value !== undefined) out[axis] = value;
  }
  return out;
}

const ORDERS: readonly Rule[] = [
  rule({
    name: "a permute that moves nothing but axes of size 1 is a reshape",
    pattern: on("permute", { as: "outer" }, any("x")),
    rewrite: ({ outer: { primitive, shape }, x }) =>
      isAscending(primitive.order.filter((axis) => x.shape[axis] !== 1)) ? reshape(x, shape) : undefined,
  }),
  rule({
    name: "a reshape goes beneath a permute",
    pattern: on("reshape", { as: "outer" }, on("permute", { as: "inner" }, any("x"))),
    rewrite: ({ outer, inner, x }) => reshapeBeneathPermute(outer.shape, inner, x),
  }),
  rule({
    name: "a slice goes beneath a permute",
    pattern: on("slice", { as: "outer" }, on("permute", { as: "inner" }, any("x"))),
    rewrite: ({ outer: { primitive, shape }, inner: { primitive: { order } }, x }) => {
      const part = slice(x, beneath(order, primitive.starts), beneath(order, shape), beneath(order, primitive.steps));
      return permute(part, order);
    },
  }),
  rule({
    name: "a permute goes beneath a pad",
    pattern: on("permute", { as: "outer" }, on("pad", { as: "inner" }, any("x"))),
    rewrite: ({ outer: { primitive: { order } }, inner, x }) => {
      const { low, interior, value } = inner.primitive;
      const moved = (list: readonly number[]): number[] => order.map((axis) => at(list, axis));
      return pad(permute(x, order), { low: moved(low), high: moved(highOf(inner)), interior: moved(interior), value });
    },
  }),
]; // prettier-ignore

/**
 * reshape(permute(x)) as permute(reshape(x)), where the axes that become one, or come from one, lie side by side in x.
 * Axes of size 1 stay where the result has them.
 */
function reshapeBeneathPermute(shape: Shape, inner: NodeOf<"permute">, x: Node): Node | undefined {
  if (elementCount(shape) === 0) return undefined;
  const order = inner.primitive.order.filter((axis) => x.shape[axis] !== 1);
  const wide = wideAxes(shape);
  const sizes = wide.map((axis) => at(shape, axis));
  const groups = axisGroups(order.map((axis) => at(x.shape, axis)), sizes); // prettier-ignore
  const moved: { readonly source: number; readonly places: readonly number[] }[] = [];
  for (const { from, fromEnd, to, toEnd } of groups) {
    const axes = order.slice(from, fromEnd);
    const between = wideAxes(x.shape).filter((axis) => axis >= at(axes, 0) && axis <= (axes.at(-1) ?? 0));
    if (!isAscending(axes) || between.length !== axes.length) return undefined;
    moved.push({ source: at(axes, 0), places: wide.slice(to, toEnd) });
  }
  // The places of the result in the order in which x has them.
  const places = moved.toSorted((a, b) => a.source - b.source).flatMap((group) => group.places);
  const below = [...shape];
  const back = shape.map((_, axis) => axis);
  for (const [i, place] of places.entries()) {
    const slot = at(wide, i);
    below[slot] = at(shape, place);
    back[place] = slot;
  }
  return permute(reshape(x, below), back);
}

const REPEATS: readonly Rule[] = [
  rule({
    name: "a permute goes beneath an expand",
    pattern: on("permute", { as: "outer" }, on("expand", {}, any("x"))),
    rewrite: ({ outer: { primitive, shape }, x }) => expand(permute(x, primitive.order), shape),
  }),
  rule({
    name: "a slice goes beneath an expand",
    pattern: on("slice", { as: "outer" }, on("expand", { as: "inner" }, any("x"))),
    rewrite: ({ outer: { primitive, shape }, inner, x }) => {
      const kept = (list: readonly number[], whole: number): number[] =>
        list.map((value, axis) => (x.shape[axis] === inner.shape[axis] ? value : whole));
      return expand(slice(x, kept(primitive.starts, 0), kept(shape, 1), kept(primitive.steps, 1)), shape);
    },
  }),
  rule({
    name: "a reshape goes beneath an expand",
    pattern: on("reshape", { as: "outer" }, on("expand", { as: "inner" }, any("x"))),
    rewrite: ({ outer, inner, x }) => reshapeBeneathExpand(outer.shape, inner.shape, x),
  }),
];

/** reshape(expand(x)) as expand(reshape(x)), where no axes become one of which some are repeated and some are not. */
function reshapeBeneathExpand(shape: Shape, expanded: Shape, x: Node): Node | undefined {
  if (elementCount(shape) === 0) return undefined;
  const below = [...shape];
  for (const { from, fromEnd, to, toEnd } of axisGroups(expanded, shape)) {
    const sizes = x.shape.slice(from, fromEnd);
    const isRepeated = sizes.some((size, i) => size !== expanded[from + i]);
    if (isRepeated && elementCount(sizes) !== 1) return undefined;
    if (isRepeated) below.fill(1, to, toEnd);
  }
  return expand(reshape(x, below), shape);
}

/** slice(reshape(x)) as reshape(slice(x)), where what is left of axes that became one, or come from one, is side by side. */
function sliceBeneathReshape(outer: NodeOf<"slice">, reshaped: Shape, x: Node): Node | undefined {
  if (outer.shape.includes(0)) return undefined;
  const { starts, steps } = outer.primitive;
  const below = { starts: x.shape.map(() => 0), sizes: [...x.shape], steps: x.shape.map(() => 1) };
  for (const { from, fromEnd, to, toEnd } of axisGroups(x.shape, reshaped)) {
    const cut = wideAxes(reshaped).filter((axis) => axis >= to && axis < toEnd);
    const isWhole = (axis: number): boolean => outer.shape[axis] === reshaped[axis] && steps[axis] === 1;
    if (cut.every(isWhole)) continue;
    const [source, another] = wideAxes(x.shape).filter((axis) => axis >= from && axis < fromEnd);
    const [first, ...rest] = cut;
    if (source === undefined || another !== undefined || first === undefined || !rest.every(isWhole)) return undefined;
    if (rest.length > 0 && steps[first] !== 1) return undefined;
    const length = rest.reduce((count, axis) => count * at(reshaped, axis), 1);
    below.starts[source] = at(starts, first) * length;
    below.sizes[source] = at(outer.shape, first) * length;
    below.steps[source] = rest.length > 0 ? 1 : at(steps, first);
  }
  return reshape(slice(x, below.starts, below.sizes, below.steps), outer.shape);
}

const BORDERS: readonly Rule[] = [
  rule({
    name: "a slice goes beneath a reshape",
    pattern: on("slice", { as: "outer" }, on("reshape", { as: "inner" }, any("x"))),
    rewrite: ({ outer, inner, x }) => sliceBeneathReshape(outer, inner.shape, x),
  }),
  rule({
    name: "a slice goes beneath a pad",
    pattern: on("slice", { as: "outer" }, on("pad", { as: "inner", isOutput: false }, any("x"))),
    rewrite: ({ outer, inner, x }) => sliceOfPad(outer, inner, x),
  }),
  rule({
    name: "a pad of a pad with the same value is one pad",
    pattern: on("pad", { as: "outer" }, on("pad", { as: "inner" }, any("x"))),
    rewrite: ({ outer, inner, x }) => padOfPad(outer, inner, x),
  }),
];

function padOfPad(outer: NodeOf<"pad">, inner: NodeOf<"pad">, x: Node): Node | undefined {
  const { value, interior } = inner.primitive;
  if (!Object.is(outer.primitive.value, value) || outer.primitive.interior.some((count) => count !== 0))
    return undefined;
  const [low, high] = [inner.primitive.low, highOf(inner)];
  const [moreLow, moreHigh] = [outer.primitive.low, highOf(outer)];
  // What was cut off does not come back.
  const comesBack = (cut: readonly number[], more: readonly number[]): boolean =>
    cut.some((count, axis) => count < 0 && at(more, axis) > 0);
  if (comesBack(low, moreLow) || comesBack(high, moreHigh)) return undefined;
  const sum = (a: readonly number[], b: readonly number[]): number[] => a.map((count, axis) => count + (b[axis] ?? 0));
  return pad(x, { low: sum(low, moreLow), high: sum(high, moreHigh), interior, value });
}

const PLACES: readonly Rule[] = [
  rule({
    name: "a permute of places is places along another axis",
    pattern: on("permute", { as: "outer" }, on("iota", { as: "inner" })),
    rewrite: ({ outer, inner }) => iota(outer.shape, outer.primitive.order.indexOf(inner.primitive.axis)),
  }),
  rule({
    name: "an expand of places is more places",
    pattern: on("expand", { as: "outer" }, on("iota", { as: "inner" })),
    rewrite: ({ outer, inner }) => iota(outer.shape, inner.primitive.axis),
  }),
  rule({
    name: "a reshape of places that leaves their axis is places",
    pattern: on("reshape", { as: "outer" }, on("iota", { as: "inner" })),
    rewrite: ({ outer, inner }) => {
      const { axis } = inner.primitive;
      if (elementCount(outer.shape) === 0) return undefined;
      const group = axisGroups(inner.shape, outer.shape).find(({ from, fromEnd }) => from <= axis && axis < fromEnd);
      if (group === undefined) return undefined;
      const places = outer.shape.flatMap((size, i) => (i >= group.to && i < group.toEnd && size !== 1 ? [i] : []));
      const [place] = places;
      const isAlone = places.length === 1 && place !== undefined && outer.shape[place] === inner.shape[axis];
      return isAlone ? iota(outer.shape, place) : undefined;
    },
  }),
  rule({
    name: "a slice of places across their axis is fewer places",
    pattern: on("slice", { as: "outer" }, on("iota", { as: "inner" })),
    rewrite: ({ outer: { primitive, shape }, inner: { primitive: { axis } } }) =>
      primitive.starts[axis] === 0 && primitive.steps[axis] === 1 ? iota(shape, axis) : undefined,
  }),
]; // prettier-ignore

const WINDOWS: readonly Rule[] = [
  rule({
    name: "windows of one element are a slice",
    pattern: on("window", { as: "outer", where: ({ primitive }) => primitive.size === 1 }, any("x")),
    rewrite: ({ outer: { primitive, shape }, x }) => {
      const steps = x.shape.map((_, axis) => (axis === primitive.axis ? primitive.stride : 1));
      return reshape(slice(x, x.shape.map(() => 0), shape.slice(0, -1), steps), shape); // prettier-ignore
    },
  }),
];

/** Rules that bring views into their order. */
export const VIEWS: readonly Rule[] = [...ORDERS, ...REPEATS, ...BORDERS, ...PLACES, ...WINDOWS];
