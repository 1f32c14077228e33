import { expect, test } from "vitest";
import { present } from "../../../src/base/assert.ts";
import * as graph from "../../../src/compute/compiler/graph.ts";
import type { Node } from "../../../src/compute/compiler/ir.ts";
import { lower, type Lowered } from "../../../src/compute/compiler/lower.ts";
import { LoweringCache } from "../../../src/compute/compiler/lowering-cache.ts";

/** Some hundred nodes over two leaves. */
function long(x: Node, y: Node, factor: number): Node[] {
  let sum = graph.barrier(x, y);
  for (let i = 0; i < 60; i++) {
    const scaled = graph.binary("multiply", i % 2 === 0 ? y : x, graph.constant(factor + i, x.shape, "float32"));
    sum = graph.unary("tanh", graph.binary("add", sum, scaled));
  }
  return [sum, graph.reduce("sum", sum, [0])];
}

function leaf(): Node {
  return graph.buffer([8, 4], "float32");
}

function counted(cache: LoweringCache): { get(outputs: readonly Node[], condition?: string): Lowered; count: number } {
  const counter = {
    count: 0,
    get: (outputs: readonly Node[], condition = "") =>
      cache.get(outputs, condition, () => {
        counter.count += 1;
        return lower(outputs, 8);
      }),
  };
  return counter;
}

test("a graph that comes again over other leaves has the same kernels, which read those leaves", () => {
  const cache = counted(new LoweringCache());
  const [a, b, c, d] = [leaf(), leaf(), leaf(), leaf()];
  const first = cache.get(long(a, b, 0.5));
  const second = cache.get(long(c, d, 0.5));
  expect(cache.count).toBe(1);
  expect(second.kernels.map(({ kernel }) => kernel)).toEqual(first.kernels.map(({ kernel }) => kernel));
  const moved = new Map([[a, c], [b, d]]); // prettier-ignore
  for (const [i, { inputs }] of first.kernels.entries()) {
    const again = present(second.kernels[i], "as many kernels").inputs;
    for (const [j, input] of inputs.entries()) if (moved.has(input)) expect(again[j]).toBe(moved.get(input));
  }
});

test("what a result depends on tells graphs apart: numbers, shapes, shared leaves, the condition", () => {
  const cache = counted(new LoweringCache());
  const [a, b] = [leaf(), leaf()];
  cache.get(long(a, b, 0.5));
  cache.get(long(a, b, 0.25));
  cache.get(long(a, a, 0.5));
  cache.get(long(graph.buffer([4, 8], "float32"), graph.buffer([4, 8], "float32"), 0.5));
  cache.get(long(a, b, 0.5), "another device");
  expect(cache.count).toBe(5);
  cache.get(long(b, a, 0.5));
  expect(cache.count).toBe(5);
});

test("what is kept holds no leaf", () => {
  const cache = new LoweringCache();
  const [a, b] = [leaf(), leaf()];
  cache.get(long(a, b, 0.5), "", () => lower(long(a, b, 0.5), 8));
  const found = cache.get(long(leaf(), leaf(), 0.5), "", () => {
    throw new Error("expected to be known");
  });
  for (const { inputs, outputs } of found.kernels) {
    for (const node of [...inputs, ...outputs]) {
      expect(node).not.toBe(a);
      if (node.primitive.kind !== "buffer") expect(node.inputs).toEqual([]);
    }
  }
});
