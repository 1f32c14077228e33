/** Repetition goes towards the readers, one rule at a time. */
import * as graph from "../../../../src/compute/compiler/graph.ts";
import type { Node } from "../../../../src/compute/compiler/ir.ts";
import { REPEATS } from "../../../../src/compute/compiler/passes/repeats.ts";
import { describeRules } from "./rule-examples.ts";

const row = graph.buffer([1, 4], "float32");
const column = graph.buffer([3, 1], "float32");
const x = graph.buffer([3, 4], "float32");
const places = graph.buffer([5, 4], "int32");
const names = new Map([[row, "row"], [column, "column"], [x, "x"], [places, "places"]]); // prettier-ignore

const rows = graph.expand(row, [3, 4]);
const columns = graph.expand(column, [3, 4]);
const constant = (value: number, dtype: Node["dtype"] = "float32"): Node => graph.constant(value, [3, 4], dtype);

describeRules(REPEATS, names, [
  {
    rule: "what is computed of repeated values is computed once",
    applies: [
      [graph.unary("exp", rows), "expand[3, 4](exp(row))"],
      [graph.binary("multiply", rows, constant(2)), "expand[3, 4](multiply(row, 2))"],
      [graph.binary("subtract", constant(2), columns), "expand[3, 4](subtract(2, column))"],
      [graph.cast(rows, "int32"), "expand[3, 4](int32(row))"],
      [graph.bitcast(rows, "int32"), "expand[3, 4](int32(row))"],
      [graph.binary("less", graph.cast(rows, "int32"), graph.iota([3, 4], 1)), "expand[3, 4](less(int32(row), iota[1, 4; 1]))"], // prettier-ignore
      [graph.select(graph.binary("less", rows, constant(0)), constant(1), rows), "expand[3, 4](select(less(row, 0), 1, row))"], // prettier-ignore
      [
        graph.binary("add", graph.expand(row, [2, 3, 4].slice(1)), graph.expand(graph.reshape(row, [1, 4]), [3, 4])),
        "expand[3, 4](add(row, row))",
      ],
    ],
    staysAway: [
      graph.binary("add", rows, columns),
      graph.binary("add", rows, x),
      graph.binary("add", graph.cast(columns, "int32"), graph.iota([3, 4], 1)).inputs[1] ?? x,
    ],
  },
  {
    rule: "all picks from one element are that element",
    applies: [[graph.gather(row, places, 0), "expand[5, 4](row)"]],
    staysAway: [graph.gather(x, places, 0)],
  },
  {
    rule: "picks from a repeated element are that element",
    applies: [[graph.gather(rows, places, 0), "expand[5, 4](row)"]],
    staysAway: [graph.gather(columns, places, 0)],
  },
  {
    rule: "picks at one place are a slice, repeated",
    applies: [
      [graph.gather(x, graph.constant(1, [2, 4], "int32"), 0), "expand[2, 4](slice[1..1, 0..3](x))"],
      // Places outside are the nearest ones.
      [graph.gather(x, graph.constant(9, [3, 2], "int32"), 1), "expand[3, 2](slice[0..2, 3..3](x))"],
      [graph.gather(x, graph.constant(-9, [3, 2], "int32"), 1), "expand[3, 2](slice[0..2, 0..0](x))"],
    ],
    staysAway: [graph.gather(x, places, 0)],
  },
  {
    rule: "picks in order are a slice",
    applies: [
      [graph.gather(x, graph.iota([2, 4], 0), 0), "slice[0..1, 0..3](x)"],
      [graph.gather(x, graph.iota([3, 4], 1), 1), "x"],
    ],
    staysAway: [graph.gather(x, graph.iota([3, 4], 1), 0), graph.gather(x, graph.iota([5, 4], 0), 0)],
  },
]);
