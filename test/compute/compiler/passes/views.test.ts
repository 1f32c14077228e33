/** Views in their order, one rule at a time. */
import * as graph from "../../../../src/compute/compiler/graph.ts";
import type { Node } from "../../../../src/compute/compiler/ir.ts";
import { VIEWS } from "../../../../src/compute/compiler/passes/views.ts";
import { describeRules } from "./rule-examples.ts";

const x = graph.buffer([2, 3, 4], "float32");
const row = graph.buffer([1, 4], "float32");
const unit = graph.buffer([1, 3, 1, 4], "float32");
const line = graph.buffer([12], "float32");
const names = new Map([[x, "x"], [row, "row"], [unit, "unit"], [line, "line"]]); // prettier-ignore

const turned = graph.permute(x, [2, 0, 1]);
const rows = graph.expand(row, [3, 4]);
// An output is in memory: to read it is better than to compute its part again.
const known = padded(x, 2, 2);
const zeros = [0, 0, 0];

/** `x` with `low` and `high` around its second axis. */
function padded(node: Node, low: number, high: number, value = 0): Node {
  return graph.pad(node, { low: [0, low, 0], high: [0, high, 0], value });
}

/** Every second place from `low` on. */
function apart(low: number): Node {
  return graph.pad(x, { low: [0, low, 0], high: zeros, interior: [0, 1, 0] });
}

function part(node: Node, start: number, size: number, step = 1): Node {
  return graph.slice(node, [0, start, 0], [node.shape[0] ?? 1, size, node.shape[2] ?? 1], [1, step, 1]);
}

describeRules(VIEWS, names, [
  {
    rule: "a permute that moves nothing but axes of size 1 is a reshape",
    applies: [[graph.permute(unit, [1, 0, 3, 2]), "reshape[3, 1, 4, 1](unit)"]],
    staysAway: [turned, graph.permute(unit, [3, 0, 1, 2])],
  },
  {
    rule: "a reshape goes beneath a permute",
    applies: [
      // Axes of size 1 come in, side by side ones become one, one becomes two.
      [graph.reshape(turned, [4, 1, 2, 3]), "permute[3, 1, 0, 2](reshape[2, 1, 3, 4](x))"],
      [graph.reshape(turned, [4, 6]), "permute[1, 0](reshape[6, 4](x))"],
      [graph.reshape(turned, [2, 2, 2, 3]), "permute[2, 3, 0, 1](reshape[2, 3, 2, 2](x))"],
    ],
    staysAway: [graph.reshape(turned, [8, 3]), graph.reshape(graph.permute(x, [1, 0, 2]), [6, 4])],
  },
  {
    rule: "a slice goes beneath a permute",
    applies: [
      [graph.slice(turned, [3, 0, 1], [2, 2, 1], [-2, 1, 1]), "permute[2, 0, 1](slice[0..1, 1..1, 3..1 by -2](x))"],
    ],
    staysAway: [part(x, 1, 2)],
  },
  {
    rule: "a permute goes beneath a pad",
    applies: [[graph.permute(padded(x, 1, 2), [1, 2, 0]), "pad[1, 0, 0; 6, 4, 2](permute[1, 2, 0](x))"]],
    staysAway: [padded(turned, 1, 2)],
  },
  {
    rule: "a permute goes beneath an expand",
    applies: [[graph.permute(rows, [1, 0]), "expand[4, 3](permute[1, 0](row))"]],
    staysAway: [graph.expand(graph.permute(row, [1, 0]), [4, 3])],
  },
  {
    rule: "a slice goes beneath an expand",
    applies: [[graph.slice(rows, [1, 3], [2, 2], [1, -1]), "expand[2, 2](slice[0..0, 3..2 by -1](row))"]],
    staysAway: [graph.expand(graph.slice(row, [0, 1], [1, 2]), [3, 2])],
  },
  {
    rule: "a reshape goes beneath an expand",
    applies: [
      [graph.reshape(rows, [1, 3, 2, 2]), "expand[1, 3, 2, 2](reshape[1, 1, 2, 2](row))"],
      [graph.reshape(graph.expand(row, [6, 4]), [2, 3, 4]), "expand[2, 3, 4](reshape[1, 1, 4](row))"],
    ],
    // The same four elements three times are no axis that repeats.
    staysAway: [graph.reshape(rows, [12]), graph.reshape(rows, [6, 2])],
  },
  {
    rule: "a slice goes beneath a reshape",
    applies: [
      [part(graph.reshape(x, [2, 1, 12]), 0, 1), "reshape[2, 1, 12](x)"],
      [graph.slice(graph.reshape(line, [1, 12]), [0, 3], [1, 4], [1, 2]), "reshape[1, 4](slice[3..9 by 2](line))"],
      [graph.slice(graph.reshape(line, [3, 4]), [1, 0], [2, 4]), "reshape[2, 4](slice[4..11](line))"],
      [graph.slice(graph.reshape(x, [6, 2, 2]), [0, 1, 0], [6, 1, 2]), "reshape[6, 1, 2](slice[0..1, 0..2, 2..3](x))"],
    ],
    staysAway: [
      graph.slice(graph.reshape(line, [3, 4]), [0, 1], [3, 2]),
      graph.slice(graph.reshape(line, [3, 4]), [2, 0], [3, 4], [-1, 1]),
      graph.slice(graph.reshape(x, [6, 4]), [1, 0], [4, 4]),
    ],
  },
  {
    rule: "a slice goes beneath a pad",
    applies: [
      // In the middle of x, beyond it, across its edge, and of every second place.
      [part(padded(x, 2, 2), 3, 2), "slice[0..1, 1..2, 0..3](x)"],
      [part(padded(x, 2, 2, 5), 0, 2), "5"],
      [part(padded(x, 2, 2), 1, 3), "pad[0, 1, 0; 2, 3, 4](x)"],
      [part(apart(1), 5, 3, -2), "slice[0..1, 2..0 by -1, 0..3](x)"],
      [part(apart(1), 2, 2, 2), "0"],
      [part(apart(0), 1, 3), "pad[0, -1, 0; 2, 3, 4](x)"],
    ],
    staysAway: [part(padded(x, 2, 2), 6, 7, -1), [part(known, 3, 2), known]],
  },
  {
    rule: "a pad of a pad with the same value is one pad",
    applies: [
      [padded(padded(x, 1, 2), 3, 4), "pad[0, 4, 0; 2, 13, 4](x)"],
      [padded(padded(x, 2, 0), -1, 0), "pad[0, 1, 0; 2, 4, 4](x)"],
    ],
    // What was cut off does not come back.
    staysAway: [padded(padded(x, 1, 2), 3, 4, 1), padded(padded(x, -1, 0), 1, 0), padded(padded(x, 0, -1), 0, 1)],
  },
  {
    rule: "a permute of places is places along another axis",
    applies: [[graph.permute(graph.iota([2, 3], 1), [1, 0]), "iota[3, 2; 0]"]],
    staysAway: [turned],
  },
  {
    rule: "an expand of places is more places",
    applies: [[graph.expand(graph.iota([1, 3], 1), [4, 3]), "iota[4, 3; 1]"]],
    staysAway: [rows],
  },
  {
    rule: "a reshape of places that leaves their axis is places",
    applies: [
      [graph.reshape(graph.iota([4, 6, 3], 2), [2, 1, 12, 3]), "iota[2, 1, 12, 3; 3]"],
      [graph.reshape(graph.iota([6], 0), [1, 6, 1]), "iota[1, 6, 1; 1]"],
    ],
    staysAway: [graph.reshape(graph.iota([2, 3], 1), [6]), graph.reshape(graph.iota([6], 0), [2, 3])],
  },
  {
    rule: "a slice of places across their axis is fewer places",
    applies: [
      [graph.slice(graph.iota([4, 3], 1), [1, 0], [2, 3]), "iota[2, 3; 1]"],
      [graph.slice(graph.iota([4, 3], 1), [0, 0], [4, 1]), "0"],
    ],
    staysAway: [graph.slice(graph.iota([4, 3], 1), [0, 1], [4, 2]), graph.slice(graph.iota([4, 5], 1), [0, 0], [4, 2], [1, 2])], // prettier-ignore
  },
  {
    rule: "windows of one element are a slice",
    applies: [
      [graph.window(x, 1, 1), "reshape[2, 3, 4, 1](x)"],
      [graph.window(x, 2, 1, 3), "reshape[2, 3, 2, 1](slice[0..1, 0..2, 0..3 by 3](x))"],
    ],
    staysAway: [graph.window(x, 1, 2)],
  },
]);
