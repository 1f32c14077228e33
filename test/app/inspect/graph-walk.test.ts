import { expect, test } from "vitest";
import { beside, foundNodes, readersOf } from "../../../app/inspect/graph-walk.ts";
import { layoutGraph } from "../../../app/inspect/layout-graph.ts";
import type { DrawnGraph } from "../../../app/inspect/inspect-api.ts";
import type { GraphNodeReport } from "../../../src/index.ts";

function node(id: number, label: string, inputs: readonly number[], kernels: readonly number[]): GraphNodeReport {
  const kind = label.split(" ")[0] ?? "";
  return {
    id,
    kind,
    label,
    inputs,
    kernels,
    shape: [8, 64],
    dtype: "float32",
    bytes: 2048,
    isStored: kind === "buffer",
  };
}

const nodes = [
  node(0, "buffer", [], []),
  node(1, "buffer", [], []),
  node(2, "buffer", [], []),
  node(3, "binary add", [0, 1], [0]),
  node(4, "binary add", [3, 2], [0, 1]),
];
const drawn: DrawnGraph = { report: { nodes, outputs: [4] }, layout: layoutGraph({ nodes }) };
test("readers are known of each node", () => {
  expect(readersOf(drawn)).toEqual([[3], [3], [4], [4], []]);
});

test("a search looks for all of its words, and whole words come first", () => {
  expect(foundNodes(drawn, "BINARY add")).toEqual([3, 4]);
  expect(foundNodes(drawn, "8x64 buffer")).toEqual([0, 1, 2]);
  expect(foundNodes(drawn, "buffer [8, 64]")).toEqual([0, 1, 2]);
  expect(foundNodes(drawn, "kernel 1")).toEqual([4]);
  expect(foundNodes(drawn, "nothing like it")).toEqual([]);
  expect(foundNodes(drawn, "  ")).toBe(null);
  const mixed = [node(0, "expand", [], []), node(1, "unary exp", [0], [])];
  expect(foundNodes({ report: { nodes: mixed, outputs: [] }, layout: drawn.layout }, "exp")).toEqual([1, 0]);
});

test("up and down lead along a layer, and end there", () => {
  const [first, second] = (drawn.layout.y[0] ?? 0) < (drawn.layout.y[1] ?? 0) ? [0, 1] : [1, 0];
  expect(beside(drawn, first, "down")).toBe(second);
  expect(beside(drawn, second, "up")).toBe(first);
  expect(beside(drawn, first, "up")).toBe(first);
});
