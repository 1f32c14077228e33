/** Layouts of random graphs: nothing overlaps, inputs stand before readers, and size is no matter. */
import { expect, test } from "vitest";
import { layoutGraph, NODE_HEIGHT, NODE_WIDTH, spread } from "../../../app/inspect/layout-graph.ts";
import type { GraphNodeReport } from "../../../src/index.ts";
import { Random } from "../../../src/base/random.ts";

/** Nodes that read up to three of the twenty before them, as training steps do, and now and then one of long ago. */
function randomNodes(seed: number, count: number): GraphNodeReport[] {
  const random = new Random(seed, "layout");
  return Array.from({ length: count }, (_, id): GraphNodeReport => {
    const reads = id === 0 ? 0 : random.below(4);
    const inputs = Array.from({ length: reads }, () => {
      return random.below(10) === 0 ? random.below(id) : Math.max(0, id - 1 - random.below(20));
    });
    const value = { shape: [2], dtype: "float32", bytes: 8, kernels: [], isStored: false } as const;
    return { id, kind: "binary", label: "binary add", inputs, ...value };
  });
}

for (const [seed, count] of [
  [1, 30],
  [2, 300],
  [3, 3_000],
] as const) {
  test(`${count} nodes stand apart, each to the right of its inputs, in the frame (seed ${seed})`, () => {
    const nodes = randomNodes(seed, count);
    const { x, y, width, height } = layoutGraph({ nodes });
    for (const { id, inputs } of nodes) {
      for (const input of inputs) expect((x[input] ?? 0) + NODE_WIDTH).toBeLessThan(x[id] ?? 0);
    }
    const places = [...x]
      .map((left, id) => ({ left, top: y[id] ?? 0 }))
      .sort((a, b) => a.left - b.left || a.top - b.top);
    for (const [i, { left, top }] of places.entries()) {
      const next = places[i + 1];
      if (next?.left === left) expect(next.top - top).toBeGreaterThan(NODE_HEIGHT);
      expect([left >= 0, top >= 0, left + NODE_WIDTH <= width, top + NODE_HEIGHT <= height + 1]).not.toContain(false);
    }
  });
}

test("a leaf stands just ahead of its first reader, with what is made of it alone", () => {
  const read = (id: number, ...inputs: number[]): Pick<GraphNodeReport, "id" | "inputs"> => ({ id, inputs });
  const rest = randomNodes(1, 1)[0] as GraphNodeReport;
  // 0 -> 1 -> 2 -> 3 -> 6, where 6 also reads 5, made of the leaf 4.
  const nodes = [read(0), read(1, 0), read(2, 1), read(3, 2), read(4), read(5, 4), read(6, 3, 5)];
  const { x } = layoutGraph({ nodes: nodes.map((node) => ({ ...rest, ...node })) });
  expect(x[5]).toBe(x[3]);
  expect(x[4]).toBe(x[2]);
});

test("an empty graph has no size", () => {
  expect(layoutGraph({ nodes: [] })).toMatchObject({ width: 0, height: 0 });
});

test("places keep their distance and move as little as squares can tell", () => {
  expect(spread([0, 10, 20], 5)).toEqual([0, 10, 20]);
  expect(spread([0, 0, 0], 5)).toEqual([-5, 0, 5]);
  expect(spread([0, 1, 100], 10)).toEqual([-4.5, 5.5, 100]);
  expect(spread([], 5)).toEqual([]);
});
