/** What is computed of repeated values is computed once, and then repeated. No element changes. */
import { sameShape } from "../../layout/shape.ts";
import { constantValue } from "../fold.ts";
import { constant, expand, iota, remake, slice } from "../graph.ts";
import type { Node, Shape } from "../ir.ts";
import { any, commuted, constantOf, on, rule, type Pattern, type Rule } from "./pattern.ts";

/** True when all of `x` along `axis` is known to be one value. */
function repeats(x: Node, axis: number): boolean {
  switch (x.primitive.kind) {
    case "constant":
      return true;
    case "iota":
      return x.primitive.axis !== axis;
    case "expand":
      return x.inputs[0]?.shape[axis] === 1;
    default:
      return x.shape[axis] === 1;
  }
}

/** `x` as it was before it was repeated to its shape, as far as `shape` says. */
function unrepeated(x: Node, shape: Shape): Node {
  if (sameShape(x.shape, shape)) return x;
  const { primitive, inputs } = x;
  const [source] = inputs;
  if (primitive.kind === "expand" && source !== undefined) return expand(source, shape);
  return primitive.kind === "iota" ? iota(shape, primitive.axis) : constant(constantValue(x) ?? 0, shape, x.dtype);
}

/** An elementwise node of which all inputs repeat along some axis. */
function computedOnce(node: Node): Node | undefined {
  const shape = node.shape.map((size, axis) => (node.inputs.every((input) => repeats(input, axis)) ? 1 : size));
  if (sameShape(shape, node.shape)) return undefined;
  return expand(remake(node, node.inputs.map((input) => unrepeated(input, shape))), node.shape); // prettier-ignore
}

const REPEATED: Pattern = on("expand", {});

const ELEMENTWISE: readonly Rule[] = [
  on("unary", { as: "op" }, REPEATED),
  on("cast", { as: "op" }, REPEATED),
  on("bitcast", { as: "op" }, REPEATED),
  commuted({ as: "op" }, REPEATED, any()),
  on("select", { as: "op" }, any(), any(), REPEATED),
  on("select", { as: "op" }, any(), REPEATED, any()),
  on("select", { as: "op" }, REPEATED, any(), any()),
].map((pattern: Pattern<{ readonly op: Node }>): Rule => {
  const name = "what is computed of repeated values is computed once";
  return rule({ name, pattern, rewrite: ({ op }) => computedOnce(op) });
});

const PICKS: readonly Rule[] = [
  rule({
    name: "all picks from one element are that element",
    pattern: on("gather", { as: "pick" }, any("x"), any()),
    rewrite: ({ pick: { primitive, shape }, x }) => (x.shape[primitive.axis] === 1 ? expand(x, shape) : undefined),
  }),
  rule({
    name: "picks from a repeated element are that element",
    pattern: on("gather", { as: "pick" }, on("expand", { as: "repeated" }, any("x")), any()),
    rewrite: ({ pick: { primitive, shape }, repeated, x }) => {
      const { axis } = primitive;
      if (x.shape[axis] !== 1 || repeated.shape[axis] === 1) return undefined;
      return expand(x, shape);
    },
  }),
  rule({
    name: "picks at one place are a slice, repeated",
    pattern: on("gather", { as: "pick" }, any("x"), constantOf("place")),
    rewrite: ({ pick: { primitive, shape }, x, place }) => {
      if (x.shape.includes(0)) return undefined;
      const { axis } = primitive;
      const at = Math.min(Math.max(place.primitive.value, 0), (x.shape[axis] ?? 1) - 1);
      const only = (value: number, others: Shape | number): number[] =>
        x.shape.map((_, i) => (i === axis ? value : typeof others === "number" ? others : (others[i] ?? 1)));
      return expand(slice(x, only(at, 0), only(1, x.shape)), shape);
    },
  }),
  rule({
    name: "picks in order are a slice",
    pattern: on("gather", { as: "pick" }, any("x"), on("iota", { as: "places" })),
    rewrite: ({ pick: { primitive, shape }, x, places }) => {
      const { axis } = primitive;
      const fits = places.primitive.axis === axis && (shape[axis] ?? 1) <= (x.shape[axis] ?? 1);
      return fits ? slice(x, shape.map(() => 0), shape) : undefined; // prettier-ignore
    },
  }),
];

/** Rules that move repetition towards the readers. */
export const REPEATS: readonly Rule[] = [...ELEMENTWISE, ...PICKS];
