/** Choices, what is made of comparisons, conversions, and what has no elements. No bit changes. */
import { isFloat, isWhole, type DType } from "../../layout/dtype.ts";
import { binary, cast, constant, select, unary } from "../graph.ts";
import type { BinaryFunction } from "../ir.ts";
import { any, constantOf, on, rule, type Rule } from "./pattern.ts";

/** What is true exactly where the other is false, NaN or not; `less` has no such partner for floats. */
const OPPOSITE: Partial<Readonly<Record<BinaryFunction, BinaryFunction>>> = { equal: "notEqual", notEqual: "equal" };

const SELECTS: readonly Rule[] = [
  rule({
    name: "c ? x : x is x",
    pattern: on("select", {}, any(), any("x"), any("x")),
    rewrite: ({ x }) => x,
  }),
  rule({
    name: "not c ? x : y is c ? y : x",
    pattern: on("select", {}, on("unary", { fn: "not" }, any("c")), any("x"), any("y")),
    rewrite: ({ c, x, y }) => select(c, y, x),
  }),
  rule({
    name: "c ? (c ? x : y) : z is c ? x : z",
    pattern: on("select", {}, any("c"), on("select", {}, any("c"), any("x"), any()), any("z")),
    rewrite: ({ c, x, z }) => select(c, x, z),
  }),
  rule({
    name: "c ? x : (c ? y : z) is c ? x : z",
    pattern: on("select", {}, any("c"), any("x"), on("select", {}, any("c"), any(), any("z"))),
    rewrite: ({ c, x, z }) => select(c, x, z),
  }),
  rule({
    name: "c ? true : false is c",
    pattern: on("select", { as: "op" }, any("c"), constantOf("yes"), constantOf("no")),
    rewrite: ({ op, c, yes, no }) => {
      if (op.dtype !== "bool" || yes.primitive.value === no.primitive.value) return undefined;
      return yes.primitive.value === 1 ? c : unary("not", c);
    },
  }),
  rule({
    name: "not (x = y) is x != y",
    pattern: on("unary", { fn: "not" }, on("binary", { as: "op", isReadOnce: true }, any("x"), any("y"))),
    rewrite: ({ op, x, y }) => {
      const opposite = OPPOSITE[op.primitive.fn];
      return opposite && binary(opposite, x, y);
    },
  }),
  rule({
    name: "not (x < y) is y <= x, for integers",
    pattern: on("unary", { fn: "not" }, on("binary", { as: "op", isReadOnce: true }, any("x"), any("y"))),
    rewrite: ({ op: { primitive }, x, y }) => {
      if (!isWhole(x.dtype) || (primitive.fn !== "less" && primitive.fn !== "lessEqual")) return undefined;
      return binary(primitive.fn === "less" ? "lessEqual" : "less", y, x);
    },
  }),
];

const ROUNDINGS = ["floor", "ceil", "round", "trunc"] as const;

const CONVERSIONS: readonly Rule[] = [
  rule({
    name: "a cast of a cast that lost nothing is one cast",
    pattern: on("cast", { as: "outer" }, on("cast", { as: "inner" }, any("x"))),
    rewrite: ({ outer, inner, x }) =>
      isLossless(x.dtype, inner.dtype, outer.dtype) ? cast(x, outer.dtype) : undefined,
  }),
  rule({
    name: "whole numbers are not rounded",
    pattern: on("unary", { fn: ROUNDINGS }, on("cast", { as: "whole" }, any("x"))),
    rewrite: ({ whole, x }) => (isFloat(x.dtype) ? undefined : whole),
  }),
  rule({
    name: "what is rounded is not rounded again",
    pattern: on("unary", { fn: ROUNDINGS }, on("unary", { as: "whole", fn: ROUNDINGS })),
    rewrite: ({ whole }) => whole,
  }),
];

/** True when what `via` makes of a value of `from` becomes the same in `to` as the value itself. */
function isLossless(from: DType, via: DType, to: DType): boolean {
  if (from === "bool") return true;
  if (from === "float16") return via === "float32";
  // The same 32 bits, one way and back; which of them are 0 is the same too.
  return isWhole(from) && isWhole(via) && (isWhole(to) || to === "bool");
}

const NOTHING: Rule = rule({
  name: "what has no elements is a constant",
  pattern: any("x"),
  rewrite: ({ x }) => (x.shape.includes(0) && !KEPT.has(x.primitive.kind) ? constant(0, x.shape, x.dtype) : undefined),
});

/** Leaves, constants, and what passes have to leave in place. */
const KEPT: ReadonlySet<string> = new Set(["buffer", "constant", "random", "barrier"]);

/** Rules of selects, nots and casts. */
export const CHOICES: readonly Rule[] = [NOTHING, ...SELECTS, ...CONVERSIONS];
