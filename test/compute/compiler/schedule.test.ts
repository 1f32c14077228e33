/** How many kernels known graphs take, and which nodes are stored. */
import { expect, test } from "vitest";
import * as graph from "../../../src/compute/compiler/graph.ts";
import type { Node } from "../../../src/compute/compiler/ir.ts";
import { lower } from "../../../src/compute/compiler/lower.ts";

const BINDINGS_MAX = 8;

function names(...outputs: Node[]): string[] {
  return lower(outputs, BINDINGS_MAX).kernels.map(({ kernel }) => kernel.name);
}

function times(x: Node, factor: number): Node {
  return graph.binary("multiply", x, graph.constant(factor, x.shape, "float32"));
}

function plus(x: Node, term: number): Node {
  return graph.binary("add", x, graph.constant(term, x.shape, "float32"));
}

function mean(x: Node): Node {
  return times(graph.reduce("sum", x, [x.shape.length - 1]), 1 / (x.shape.at(-1) ?? 1));
}

function softmax(x: Node): Node {
  const highest = graph.reduce("maximum", x, [x.shape.length - 1]);
  const powers = graph.unary("exp", graph.binary("subtract", x, graph.expand(highest, x.shape)));
  const sum = graph.reduce("sum", powers, [x.shape.length - 1]);
  return graph.binary("divide", powers, graph.expand(sum, x.shape));
}

function layerNorm(x: Node): Node {
  const centered = graph.binary("subtract", x, graph.expand(mean(x), x.shape));
  const variance = mean(graph.binary("multiply", centered, centered));
  const deviation = graph.unary("sqrt", plus(variance, 1e-5));
  return graph.binary("divide", centered, graph.expand(deviation, x.shape));
}

function gelu(x: Node): Node {
  const cube = graph.binary("multiply", graph.binary("multiply", x, x), x);
  const inner = times(graph.binary("add", x, times(cube, 0.044715)), 0.7978845608);
  return graph.binary("multiply", times(x, 0.5), plus(graph.unary("tanh", inner), 1));
}

test("a chain of elementwise nodes and views is one kernel", () => {
  const x = graph.buffer([16, 64], "float32");
  expect(names(gelu(x))).toHaveLength(1);
  expect(names(graph.reshape(graph.permute(gelu(gelu(x)), [1, 0]), [8, 128]))).toHaveLength(1);
});

test("softmax is one kernel: a maximum, a sum and a quotient, row by row", () => {
  expect(names(softmax(graph.buffer([16, 64], "float32")))).toEqual([
    "maximum [16, 64] -> [16, 1] | sum [16, 64] -> [16, 1] of expand subtract exp | expand subtract exp divide [16, 64]",
  ]);
});

test("layer norm is one kernel: two sums, each with what follows it, and a quotient", () => {
  const kernels = names(layerNorm(graph.buffer([16, 64], "float32")));
  expect(kernels).toEqual([
    "sum [16, 64] -> [16, 1]; multiply | sum [16, 64] -> [16, 1] of expand subtract multiply; multiply add sqrt | expand subtract divide [16, 64]",
  ]);
});

test("a contraction takes its bias and a cheap activation along, and reads views without a copy", () => {
  const x = graph.buffer([2, 8, 16], "float32");
  const weight = graph.buffer([32, 16], "float32");
  const bias = graph.expand(graph.reshape(graph.buffer([32], "float32"), [1, 1, 32]), [2, 8, 32]);
  const rows = graph.reshape(x, [1, 16, 16]);
  const product = graph.contraction(rows, graph.permute(graph.reshape(weight, [1, 32, 16]), [0, 2, 1]));
  const sum = graph.binary("add", graph.reshape(product, [2, 8, 32]), bias);
  const rectified = graph.binary("maximum", sum, graph.constant(0, sum.shape, "float32"));
  expect(names(rectified)).toEqual(["contraction 1 x [16, 16] x [16, 32]; reshape add maximum"]);
  // Written out for each element of a tile, a hyperbolic tangent would take too long to compile.
  expect(names(graph.unary("tanh", sum))).toHaveLength(2);
});

test("what a contraction reads many times is computed once before", () => {
  const x = graph.buffer([1, 8, 16], "float32");
  const product = graph.contraction(graph.permute(graph.unary("tanh", x), [0, 2, 1]), x);
  expect(names(product)).toEqual(["tanh [1, 8, 16]", "contraction 1 x [16, 8] x [8, 16]"]);
});

test("an expensive value that many elements read is stored, a cheap one is not", () => {
  const column = graph.buffer([4096, 1], "float32");
  const x = graph.buffer([4096, 512], "float32");
  const expensive = graph.binary("add", x, graph.expand(graph.unary("erf", column), x.shape));
  expect(names(expensive)).toHaveLength(2);
  expect(names(graph.binary("add", x, graph.expand(graph.unary("negate", column), x.shape)))).toHaveLength(1);
});

test("equal nodes that were made twice are computed once", () => {
  const x = graph.buffer([8, 8], "float32");
  const twice = [softmax(x), softmax(x)].map((node) => graph.reduce("sum", node, [0, 1]));
  expect(lower(twice, BINDINGS_MAX).kernels).toHaveLength(2);
  const [first, second] = lower(twice, BINDINGS_MAX).outputs;
  expect(first).toBe(second);
});

test("a sum of many arrays is computed in parts that fit the bindings", () => {
  const many = Array.from({ length: 40 }, () => graph.buffer([8], "float32"));
  const sum = many.reduce((total, x) => graph.binary("add", total, x));
  const { kernels } = lower([sum], BINDINGS_MAX);
  expect(kernels).toHaveLength(7);
  for (const { kernel } of kernels) expect(kernel.bindings.length).toBeLessThanOrEqual(BINDINGS_MAX);
});

test("a chain of thousands of nodes is cut, and one that doubles its paths stays small", () => {
  const x = graph.buffer([4], "float32");
  let chain = x;
  for (let i = 0; i < 5000; i++) chain = graph.unary("sin", plus(chain, i));
  expect(lower([chain], BINDINGS_MAX).kernels.length).toBeLessThan(120);
  let tangled: Node = graph.buffer([64], "float32");
  for (let i = 0; i < 40; i++) {
    const padded = graph.pad(tangled, { low: [1 + i], high: [0] });
    tangled = graph.unary("sin", graph.binary("add", tangled, graph.slice(padded, [0], [64])));
  }
  const { kernels } = lower([tangled], BINDINGS_MAX);
  expect(kernels.length).toBeLessThan(40);
});

test("a contraction takes along how its operands are scaled, limited, widened and viewed, and a dropout of its result", () => {
  const x = graph.buffer([1, 32, 16], "float32");
  const half = graph.cast(graph.buffer([24, 16], "float16"), "float32");
  const left = graph.binary("maximum", times(x, 0.25), graph.constant(0, x.shape, "float32"));
  const right = graph.permute(graph.reshape(graph.unary("negate", half), [1, 24, 16]), [0, 2, 1]);
  const product = graph.contraction(left, right);
  expect(names(product)).toHaveLength(1);
  const bits = graph.random(graph.buffer([2], "uint32"), product.shape);
  const isKept = graph.binary("less", bits, graph.constant(2 ** 31, bits.shape, "uint32"));
  const dropped = graph.select(isKept, times(product, 2), graph.constant(0, product.shape, "float32"));
  expect(names(dropped)).toHaveLength(1);
  // Another array is loaded for each use: the operand is better stored.
  const scaled = graph.binary("multiply", x, graph.expand(graph.buffer([1, 1, 16], "float32"), x.shape));
  expect(names(graph.contraction(scaled, right))).toHaveLength(2);
});

test("a reduction's result is stored in the shape and order that is asked for", () => {
  const x = graph.buffer([6, 8, 4], "float32");
  const sum = graph.permute(graph.reshape(graph.reduce("sum", x, [1]), [6, 4]), [1, 0]);
  expect(names(sum)).toEqual(["sum [6, 8, 4] -> [6, 1, 4]; reshape permute"]);
  const running = graph.reshape(graph.scan("sum", x, 1), [48, 4]);
  expect(names(running)).toHaveLength(1);
});

test("nothing is computed for leaves, for empty tensors, or for what nobody asked for", () => {
  const x = graph.buffer([4], "float32");
  expect(names(x, graph.buffer([0, 3], "float32"), graph.unary("exp", graph.buffer([0], "float32")))).toEqual([]);
});

test("what only a barrier waits for takes no kernel", () => {
  const [x, y] = [graph.buffer([8, 8], "float32"), graph.buffer([8, 8], "float32")];
  const held = graph.barrier(plus(x, 1), graph.reduce("sum", y, [1]));
  expect(names(graph.unary("exp", held))).toHaveLength(1);
});

test("what a barrier holds back shares no kernel with what it waits for, and follows it", () => {
  const [x, y] = [graph.buffer([16, 64], "float32"), graph.buffer([16, 64], "float32")];
  const total = (node: Node, factor: number): Node => graph.reduce("sum", graph.binary("multiply", node, times(y, factor)), [1]); // prettier-ignore
  const first = total(x, 2);
  expect(names(first, total(x, 3))).toHaveLength(1);
  const { kernels } = lower([total(graph.barrier(x, first), 3), first], BINDINGS_MAX);
  expect(kernels.map(({ isAwaited }) => isAwaited)).toEqual([true, false]);
});

test("what only a barrier waits for is not computed, nor what leads there alone", () => {
  const x = graph.buffer([16, 64], "float32");
  const unread = graph.reduce("sum", graph.reduce("maximum", x, [0]), [1]);
  expect(names(graph.reduce("sum", graph.barrier(x, unread), [1]))).toHaveLength(1);
});
