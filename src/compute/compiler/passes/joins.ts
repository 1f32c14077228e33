/**
 * Tensors put together out of parts: the graph has no primitive for it. Ops add parts that are padded with zeros to the
 * whole (`cat`, and the gradients of slices of one tensor); where the parts do not overlap, such a sum is a choice:
 * outside of the last part the rest, else its element. A kernel then picks one element instead of adding all, and a
 * slice of the whole finds its part. The rest comes first, so that parts are still computed in their order.
 *
 * x + 0 is taken for x, also where x is -0.
 */
import { constantValue } from "../fold.ts";
import { binary, constant, highOf, pad, select, slice } from "../graph.ts";
import type { Node } from "../ir.ts";
import { any, commuted, on, rule, type NodeOf, type Rule } from "./pattern.ts";
import { sliceOfPad } from "./slice-of-pad.ts";

/** Where along an axis a part has elements. */
interface Places {
  readonly first: number;
  readonly last: number;
  readonly step: number;
}

function placesOf(part: NodeOf<"pad">): Places[] {
  const { low, interior } = part.primitive;
  const shape = part.inputs[0]?.shape ?? [];
  return shape.map((size, axis) => {
    const [first, step] = [low[axis] ?? 0, (interior[axis] ?? 0) + 1];
    return { first, last: first + (size - 1) * step, step };
  });
}

function areApart(a: readonly Places[], b: readonly Places[]): boolean {
  return a.some((p, axis) => {
    const q = b[axis] ?? p;
    return p.last < q.first || q.last < p.first || (p.step === q.step && (p.first - q.first) % p.step !== 0);
  });
}

function isPad(node: Node | undefined): node is NodeOf<"pad"> {
  return node?.primitive.kind === "pad";
}

/** The parts of a whole that is 0 elsewhere; undefined for what is no such thing. */
function partsOf(whole: Node): NodeOf<"pad">[] | undefined {
  const parts: NodeOf<"pad">[] = [];
  let rest: Node | undefined = whole;
  while (rest?.primitive.kind === "select") {
    const [elsewhere, others, part]: readonly Node[] = rest.inputs;
    if (!isOutside(elsewhere, part) || !isZeroPad(part)) return undefined;
    parts.push(part);
    rest = others;
  }
  return isZeroPad(rest) ? [...parts, rest] : undefined;
}

function isZeroPad(node: Node | undefined): node is NodeOf<"pad"> {
  return isPad(node) && node.primitive.value === 0;
}

/** False where `part` has an element, true where it has padding. */
function outside(part: NodeOf<"pad">): Node {
  const { low, interior } = part.primitive;
  const inside = constant(0, part.inputs[0]?.shape ?? [], "bool");
  return pad(inside, { low, high: highOf(part), interior, value: 1 });
}

function isOutside(mask: Node | undefined, part: Node | undefined): boolean {
  if (!isPad(mask) || !isPad(part) || !haveSameBorders(mask, part)) return false;
  return mask.primitive.value === 1 && constantValue(mask.inputs[0] ?? mask) === 0;
}

function haveSameBorders(a: NodeOf<"pad">, b: NodeOf<"pad">): boolean {
  const [p, q] = [a.primitive, b.primitive];
  const sizes = [a.inputs[0]?.shape, b.inputs[0]?.shape].map(String);
  return String(p.low) === String(q.low) && String(p.interior) === String(q.interior) && sizes[0] === sizes[1];
}

/** Rules for sums of padded parts. */
export const JOINS: readonly Rule[] = [
  rule({
    name: "parts of the same place are added before they are padded",
    pattern: on("binary", { fn: "add" }, on("pad", { as: "a" }, any("x")), on("pad", { as: "b" }, any("y"))),
    rewrite: ({ a, b, x, y }) => {
      if (!haveSameBorders(a, b) || a.primitive.value !== 0 || b.primitive.value !== 0) return undefined;
      return pad(binary("add", x, y), { ...a.primitive, high: highOf(a) });
    },
  }),
  rule({
    name: "a sum of parts that lie apart is a choice",
    pattern: commuted({ fn: "add" }, any("whole"), on("pad", { as: "part" })),
    rewrite: ({ whole, part }) => {
      if (!isZeroPad(part) || whole.shape.includes(0)) return undefined;
      const places = placesOf(part);
      const areAllApart = partsOf(whole)?.every((other) => areApart(placesOf(other), places)) ?? false;
      return areAllApart ? select(outside(part), whole, part) : undefined;
    },
  }),
  rule({
    name: "a slice of a whole that lies in one part, or outside, is a slice of that",
    pattern: on(
      "slice",
      { as: "outer" },
      on("select", { isOutput: false }, on("pad", { as: "mask" }), any("x"), any("y")),
    ),
    rewrite: ({ outer, mask, x, y }) => {
      const [inside] = mask.inputs;
      const seen = inside && sliceOfPad(outer, mask, inside);
      const isElsewhere = seen && constantValue(seen);
      if (isElsewhere === undefined) return undefined;
      const { primitive, shape } = outer;
      return slice(isElsewhere === 0 ? y : x, primitive.starts, shape, primitive.steps);
    },
  }),
];
