/** The constructors: what they refuse, and what they simplify. */
import { expect, test } from "vitest";
import { OptionError, ShapeError } from "../../../src/base/errors.ts";
import * as graph from "../../../src/compute/compiler/graph.ts";
import type { Node } from "../../../src/compute/compiler/ir.ts";

const x = graph.buffer([2, 3], "float32");
const n = graph.buffer([2, 3], "int32");
const c = (value: number): Node => graph.constant(value, [2, 3], "float32");

test.each<[string, () => Node, string]>([
  [
    "another element count",
    () => graph.reshape(x, [4]),
    "reshape: expected a shape of 6 elements for [2, 3], found [4]",
  ],
  [
    "unequal shapes",
    () => graph.binary("add", x, graph.buffer([3, 2], "float32")),
    "add: expected operands of one shape",
  ],
  ["a shape that does not repeat", () => graph.expand(x, [4, 3]), "expand: expected a shape that [2, 3] repeats to"],
  [
    "a slice past the end",
    () => graph.slice(x, [0, 1], [2, 3]),
    "slice: expected elements 0 to 2 of axis 1, found 1 to 3",
  ],
  ["a window larger than the axis", () => graph.window(x, 1, 4), "window: expected windows of at most 3 elements"],
  ["matrices that do not fit", () => graph.contraction(graph.reshape(x, [1, 2, 3]), graph.reshape(x, [1, 2, 3])), "contraction: expected shapes [B, M, K] and [B, K, N]"], // prettier-ignore
  [
    "a pad to nothing",
    () => graph.pad(x, { low: [0, -4], high: [0, 0] }),
    "pad: expected sizes that are whole numbers",
  ],
  ["negative sizes", () => graph.buffer([-1], "float32"), "buffer: expected sizes that are whole numbers"],
  ["more elements than an i32 counts", () => graph.buffer([65536, 65536], "float32"), "at most 2147483647 elements"],
  ["indices of another shape", () => graph.scatterAdd(x, graph.buffer([2, 2], "int32"), 1, 4), "scatterAdd: expected operands of one shape"], // prettier-ignore
  ["an empty axis to gather from", () => graph.gather(graph.buffer([0], "float32"), graph.buffer([2], "int32"), 0), "gather: expected elements to pick"], // prettier-ignore
])("%s is refused with a ShapeError", (_, make, message) => {
  expect(make).toThrow(ShapeError);
  expect(make).toThrow(message);
});

test.each<[string, () => Node, string]>([
  ["two dtypes", () => graph.binary("add", x, n), "add: expected operands of one dtype, found float32 and int32"],
  ["a float function of integers", () => graph.unary("exp", n), "exp: expected float32, found int32"],
  ["arithmetic on bools", () => graph.reduce("sum", graph.binary("less", x, x), [0]), "sum: expected float32 or int32"],
  ["an axis that is not there", () => graph.reduce("sum", x, [2]), "sum: expected an axis from 0 to 1, found 2"],
  ["one axis twice", () => graph.permute(x, [0, 0]), "permute: expected each of 2 axes once, found [0, 0]"],
  ["a step of 0 windows", () => graph.window(x, 1, 2, 0), "window: expected 3 size, stride and dilation from 1"],
  [
    "a fraction as an integer",
    () => graph.constant(0.5, [], "int32"),
    "constant: expected a value of int32, found 0.5",
  ],
])("%s is refused with an OptionError", (_, make, message) => {
  expect(make).toThrow(OptionError);
  expect(make).toThrow(message);
});

test("what changes nothing is its input", () => {
  expect(graph.cast(x, "float32")).toBe(x);
  expect(graph.reshape(graph.reshape(x, [6]), [2, 3])).toBe(x);
  expect(graph.permute(graph.permute(x, [1, 0]), [1, 0])).toBe(x);
  expect(graph.slice(x, [0, 0], [2, 3])).toBe(x);
  expect(graph.expand(x, [2, 3])).toBe(x);
  expect(graph.pad(x, { low: [0, 0], high: [0, 0] })).toBe(x);
  expect(graph.reduce("sum", graph.reshape(x, [6, 1]), [1]).primitive.kind).toBe("reshape");
});

test("constants fold, and stay constants under views", () => {
  const folded = graph.binary("multiply", graph.unary("exp", c(0)), c(3));
  const seen = graph.permute(graph.slice(graph.expand(graph.reshape(folded, [2, 3]), [2, 3]), [0, 0], [1, 3]), [1, 0]);
  expect(seen).toMatchObject({ primitive: { kind: "constant", value: 3 }, shape: [3, 1], dtype: "float32" });
  expect(graph.cast(c(-2.7), "int32").primitive).toEqual({ kind: "constant", value: -2 });
  expect(c(0.1).primitive).toEqual({ kind: "constant", value: Math.fround(0.1) });
  expect(graph.select(graph.constant(1, [2, 3], "bool"), x, c(1))).toBe(x);
});

test("arithmetic is left to the passes", () => {
  expect(graph.binary("add", x, c(0)).primitive).toEqual({ kind: "binary", fn: "add" });
  expect(graph.unary("negate", graph.unary("negate", x)).inputs[0]?.inputs[0]).toBe(x);
});

test("a node of other inputs is made as its own were", () => {
  const y = graph.buffer([2, 3], "float32");
  const key = graph.buffer([2], "uint32");
  const nodes = [
    graph.unary("exp", x), graph.binary("less", x, y), graph.select(graph.binary("less", x, y), x, y),
    graph.cast(x, "int32"), graph.bitcast(x, "int32"), graph.reshape(x, [6]), graph.permute(x, [1, 0]),
    graph.expand(graph.slice(x, [0, 1], [1, 2]), [4, 2]), graph.slice(x, [0, 2], [2, 2], [1, -1]),
    graph.pad(x, { low: [1, -1], high: [0, 2], interior: [1, 0], value: 3 }), graph.window(x, 1, 2, 1, 1),
    graph.reduce("sum", x, [1, 0]), graph.scan("maximum", x, 1), graph.gather(x, n, 0),
    graph.scatterAdd(x, n, 1, 5), graph.random(key, [4], "normal"), graph.barrier(x, y),
    graph.contraction(graph.reshape(x, [1, 2, 3]), graph.reshape(y, [1, 3, 2])), x, c(2), graph.iota([2, 3], 1),
  ]; // prettier-ignore
  for (const node of nodes) expect(graph.remake(node, node.inputs)).toEqual(node);
  expect(graph.remake(graph.unary("exp", x), [c(0)])).toEqual(c(1));
  expect(graph.remake(graph.barrier(x, y), [c(0), y]).primitive.kind).toBe("barrier");
});

test("views of views merge", () => {
  const turned = graph.permute(graph.permute(graph.buffer([2, 3, 4], "float32"), [1, 2, 0]), [1, 2, 0]);
  expect(turned.primitive).toEqual({ kind: "permute", order: [2, 0, 1] });
  const line = graph.buffer([20], "float32");
  const part = graph.slice(graph.slice(line, [19], [10], [-2]), [1], [3], [3]);
  expect(part.primitive).toEqual({ kind: "slice", starts: [17], steps: [-6] });
});

test("over nothing, a reduction is its identity and a contraction is zero", () => {
  const empty = graph.buffer([2, 0], "float32");
  expect(graph.reduce("maximum", empty, [1]).primitive).toEqual({ kind: "constant", value: -Infinity });
  expect(graph.reduce("product", empty, [0, 1]).primitive).toEqual({ kind: "constant", value: 1 });
  const product = graph.contraction(graph.reshape(empty, [1, 2, 0]), graph.reshape(empty, [1, 0, 2]));
  expect(product).toMatchObject({ primitive: { kind: "constant", value: 0 }, shape: [1, 2, 2] });
});
