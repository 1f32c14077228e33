/** Reductions of what repeats, of constants and of reductions, one rule at a time. */
import * as graph from "../../../../src/compute/compiler/graph.ts";
import type { Node, ReduceFunction } from "../../../../src/compute/compiler/ir.ts";
import { REDUCTIONS } from "../../../../src/compute/compiler/passes/reductions.ts";
import { describeRules } from "./rule-examples.ts";

const x = graph.buffer([2, 3, 4], "float32");
const i = graph.buffer([2, 3, 4], "int32");
const row = graph.buffer([1, 3, 1], "float32");
const names = new Map([[x, "x"], [i, "i"], [row, "row"]]); // prettier-ignore

const of = graph.reduce;
const repeated = graph.expand(row, [5, 3, 2]);
const inner = of("sum", x, [2]);

function constant(fn: ReduceFunction, value: number, dtype: Node["dtype"]): Node {
  return of(fn, graph.constant(value, [2, 20], dtype), [1]);
}

function padded(value: number, low = 1): Node {
  return graph.pad(x, { low: [0, low, 1], high: [0, 2, 0], value });
}

describeRules(REDUCTIONS, names, [
  {
    rule: "axes of size 1 are not reduced",
    applies: [[of("sum", graph.reshape(x, [2, 1, 12]), [1, 2]), "sum[2](reshape[2, 1, 12](x))"]],
    staysAway: [of("sum", x, [1, 2])],
  },
  {
    rule: "a reduction of a constant is a constant",
    applies: [
      [constant("sum", 0.5, "float32"), "10"],
      [constant("sum", 2 ** 30, "int32"), "0"],
      [constant("product", 3, "int32"), String(3 ** 20 - 2 ** 32 * Math.floor(3 ** 20 / 2 ** 32 + 0.5))],
      [constant("maximum", -7, "int32"), "-7"],
    ],
    staysAway: [of("sum", x, [1])],
  },
  {
    rule: "what is repeated is reduced once",
    applies: [
      [of("sum", repeated, [0]), "expand[1, 3, 2](multiply(row, 5))"],
      [of("sum", repeated, [0, 1]), "expand[1, 1, 2](multiply(sum[0, 1](row), 5))"],
      [of("maximum", repeated, [0, 2]), "row"],
      [of("product", repeated, [1]), "expand[5, 1, 2](product[1](row))"],
    ],
    staysAway: [of("product", repeated, [0]), of("sum", x, [0])],
  },
  {
    rule: "a reduction of a reduction is one over the axes of both",
    applies: [
      [of("sum", inner, [0]), "sum[0, 2](x)"],
      [of("maximum", of("maximum", i, [1]), [0, 2]), "maximum[0, 1, 2](i)"],
    ],
    // What others read is computed anyway, and is less to read.
    staysAway: [of("maximum", inner, [0]), [of("sum", inner, [0]), graph.unary("exp", inner)]],
  },
  {
    rule: "a reduction of a reshaped reduction is one over the axes of both",
    applies: [
      [of("sum", graph.reshape(inner, [2, 3]), [0, 1]), "reshape[1, 1](sum[0, 1, 2](x))"],
      [of("minimum", graph.reshape(of("minimum", x, [1]), [2, 2, 2]), [1, 2]), "minimum[1, 2](x)"],
    ],
    staysAway: [of("sum", graph.reshape(inner, [3, 2]), [0]), of("sum", graph.reshape(of("sum", x, [0]), [1, 3, 2, 2]), [2])], // prettier-ignore
  },
  {
    rule: "a reduction goes beneath a permute that keeps the order of what is reduced",
    applies: [
      [of("sum", graph.permute(x, [2, 0, 1]), [0]), "permute[2, 0, 1](sum[2](x))"],
      [of("sum", graph.permute(x, [0, 2, 1]), [0, 1]), "permute[0, 2, 1](sum[0, 2](x))"],
    ],
    staysAway: [of("sum", graph.permute(x, [2, 0, 1]), [0, 1])],
  },
  {
    rule: "a reduction goes beneath a permute, and reads in the order of memory",
    applies: [[of("sum", graph.permute(x, [2, 0, 1]), [0, 1]), "permute[2, 0, 1](sum[0, 2](x))"]],
    staysAway: [of("sum", graph.permute(x, [2, 0, 1]), [0]), of("sum", x, [0, 1])],
  },
  {
    rule: "padding that changes no reduction is left out",
    applies: [
      [of("sum", padded(0), [1, 2]), "sum[1, 2](x)"],
      [of("sum", padded(0), [1]), "sum[1](pad[0, 0, 1; 2, 3, 5](x))"],
      [of("maximum", padded(-Infinity), [1, 2]), "maximum[1, 2](x)"],
      [of("product", padded(1), [1, 2]), "product[1, 2](x)"],
    ],
    staysAway: [of("sum", padded(1), [1]), of("maximum", padded(0), [1]), of("sum", padded(0, -1), [1]), of("sum", padded(0), [0])], // prettier-ignore
  },
]);
