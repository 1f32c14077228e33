/** Tensors put together of padded parts, one rule at a time. */
import { expect, test } from "vitest";
import * as graph from "../../../../src/compute/compiler/graph.ts";
import type { Node } from "../../../../src/compute/compiler/ir.ts";
import { JOINS } from "../../../../src/compute/compiler/passes/joins.ts";
import { optimize, SIMPLIFICATIONS } from "../../../../src/compute/compiler/passes/optimize.ts";
import { applyTable } from "../../../../src/compute/compiler/passes/table.ts";
import { formulaOf } from "../formula.ts";
import { describeRules } from "./rule-examples.ts";

const a = graph.buffer([2, 3], "float32");
const b = graph.buffer([2, 3], "float32");
const c = graph.buffer([2, 3], "float32");
const names = new Map([[a, "a"], [b, "b"], [c, "c"]]); // prettier-ignore

/** `part` at columns `low` and on of 9. */
function at(low: number, part: Node, value = 0): Node {
  return graph.pad(part, { low: [0, low], high: [0, 6 - low], value });
}

function every(low: number, part: Node, apart: number): Node {
  return graph.pad(part, { low: [0, low], high: [0, 8 - low - 2 * apart], interior: [0, apart - 1] });
}

function sum(...parts: readonly Node[]): Node {
  return parts.reduce((total, part) => graph.binary("add", total, part));
}

const outside = (low: number): string => `pad[0, ${low}; 2, 9](false)`;
const place = (low: number, name: string): string => `pad[0, ${low}; 2, 9](${name})`;
const joined = sum(at(0, a), at(3, b), at(6, c));
const choice = graph.select(at(3, graph.constant(0, [2, 3], "bool"), 1), at(0, a), at(3, b));

describeRules(JOINS, names, [
  {
    rule: "parts of the same place are added before they are padded",
    applies: [[sum(at(2, a), at(2, b)), "pad[0, 2; 2, 9](add(a, b))"]],
    staysAway: [sum(at(2, a), at(3, b)), sum(at(2, a, 1), at(2, b, 1)), sum(every(2, a, 2), at(2, b))],
  },
  {
    rule: "a sum of parts that lie apart is a choice",
    applies: [
      [sum(at(0, a), at(3, b)), `select(${outside(3)}, ${place(0, "a")}, ${place(3, "b")})`],
      [joined, `select(${outside(6)}, select(${outside(3)}, ${place(0, "a")}, ${place(3, "b")}), ${place(6, "c")})`],
      // Every second place each.
      [sum(every(0, a, 2), every(1, b, 2)), `select(${outside(1)}, ${place(0, "a")}, ${place(1, "b")})`],
    ],
    staysAway: [
      sum(at(0, a), at(2, b)),
      sum(every(0, a, 2), every(1, b, 3)),
      sum(at(0, a, 1), at(3, b)),
      sum(graph.buffer([2, 9], "float32"), at(3, b)),
    ],
  },
  {
    rule: "a slice of a whole that lies in one part, or outside, is a slice of that",
    applies: [
      [graph.slice(choice, [0, 4], [2, 2]), `slice[0..1, 4..5](${place(3, "b")})`],
      [graph.slice(choice, [0, 0], [2, 3]), `slice[0..1, 0..2](${place(0, "a")})`],
    ],
    // An output is in memory anyway.
    staysAway: [graph.slice(choice, [0, 2], [2, 2]), [graph.slice(choice, [0, 4], [2, 2]), choice]],
  },
]);

test("parts that were joined and cut again are themselves", () => {
  const parts = [0, 3, 6].map((start) => graph.slice(joined, [0, start], [2, 3]));
  expect(optimize(parts)).toEqual([a, b, c]);
  // Of an axis that moved since, too.
  const turned = graph.permute(joined, [1, 0]);
  const rows = [0, 3, 6].map((start) => graph.slice(turned, [start, 0], [3, 2]));
  const found = applyTable("test", SIMPLIFICATIONS, rows).outputs;
  expect(found.map((node) => formulaOf(node, names))).toEqual(["a", "b", "c"].map((name) => `permute[1, 0](${name})`));
});
