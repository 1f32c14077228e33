/** Patterns: what they match, and what they capture. */
import { expect, test } from "vitest";
import * as graph from "../../../../src/compute/compiler/graph.ts";
import type { Node } from "../../../../src/compute/compiler/ir.ts";
import { any, commuted, constantOf, on, rule, signatureOf } from "../../../../src/compute/compiler/passes/pattern.ts";
import type { Captures, Pattern, Surroundings } from "../../../../src/compute/compiler/passes/pattern.ts";

const x = graph.buffer([4], "float32");
const y = graph.buffer([4], "float32");
const two = graph.constant(2, [4], "float32");
const sum = graph.binary("add", x, two);
const difference = graph.binary("subtract", x, y);

function matched(pattern: Pattern, node: Node, around: Partial<Surroundings> = {}): Captures | undefined {
  const found = pattern.match(node, {}, { isReadOnce: () => true, isOutput: () => false, ...around });
  // What rules are looked up by must not rule out what matches.
  if (found !== undefined) expect(pattern.fits(node)).toBe(true);
  return found;
}

test("a pattern captures nodes by name", () => {
  const pattern = on(
    "binary",
    { fn: "add", as: "sum" },
    any("x"),
    constantOf("c", (value) => value > 1),
  );
  expect(matched(pattern, sum)).toEqual({ sum, x, c: two });
  expect(matched(pattern, graph.binary("add", x, graph.constant(1, [4], "float32")))).toBeUndefined();
  expect(matched(pattern, difference)).toBeUndefined();
  expect(matched(pattern, x)).toBeUndefined();
});

test("a name that occurs twice is one node", () => {
  const pattern = on("binary", {}, any("x"), any("x"));
  expect(matched(pattern, graph.binary("multiply", x, x))).toEqual({ x });
  expect(matched(pattern, difference)).toBeUndefined();
});

test("conditions are on functions, on the node, on its readers and on being an output", () => {
  expect(matched(on("binary", { fn: ["add", "subtract"] }), difference)).toEqual({});
  expect(matched(on("binary", { where: ({ shape }) => shape.length === 2 }), difference)).toBeUndefined();
  expect(matched(on("binary", { isReadOnce: true }), difference, { isReadOnce: () => false })).toBeUndefined();
  expect(matched(on("binary", { isOutput: false }), difference, { isOutput: () => true })).toBeUndefined();
});

test("operands of a commuted pattern are found in either order", () => {
  const pattern = commuted({ fn: "add", as: "sum" }, any("other"), on("binary", { as: "inner" }, any("x"), any("x")));
  const square = graph.binary("multiply", x, x);
  for (const node of [graph.binary("add", y, square), graph.binary("add", square, y)]) {
    expect(matched(pattern, node)).toEqual({ sum: node, other: y, inner: square, x });
  }
  expect(matched(pattern, sum)).toBeUndefined();
});

test("patterns see inputs of inputs", () => {
  const pattern = on("unary", { fn: "exp" }, on("reshape", {}, on("binary", { fn: "add" }, any("x"), any())));
  expect(matched(pattern, graph.unary("exp", graph.reshape(sum, [2, 2])))).toEqual({ x });
  expect(matched(pattern, graph.unary("exp", graph.reshape(difference, [2, 2])))).toBeUndefined();
});

test("a signature tells primitives of nodes and of their inputs apart", () => {
  const nodes = [x, sum, difference, graph.binary("add", x, y), graph.binary("add", two, x), graph.unary("exp", x), graph.unary("exp", sum), graph.reduce("sum", x, [0]), graph.scan("sum", x, 0), graph.select(graph.binary("less", x, y), x, y)]; // prettier-ignore
  expect(new Set(nodes.map(signatureOf)).size).toBe(nodes.length);
  expect(signatureOf(graph.binary("add", y, graph.constant(3, [4], "float32")))).toBe(signatureOf(sum));
});

test("a rule may look at what was captured and decline", () => {
  const halved = rule({
    name: "even constants are halved",
    pattern: constantOf("c"),
    rewrite: ({ c }) => (c.primitive.value % 2 === 0 ? graph.constant(c.primitive.value / 2, c.shape, c.dtype) : undefined), // prettier-ignore
  });
  const around = { isReadOnce: () => true, isOutput: () => false };
  expect(halved.apply(two, around)?.primitive).toEqual({ kind: "constant", value: 1 });
  expect(halved.apply(graph.constant(3, [4], "float32"), around)).toBeUndefined();
  expect(halved.fits(x)).toBe(false);
});
