/** Products of matrices, one rule at a time. */
import * as graph from "../../../../src/compute/compiler/graph.ts";
import { CONTRACTIONS } from "../../../../src/compute/compiler/passes/contractions.ts";
import { describeRules } from "./rule-examples.ts";

const a = graph.buffer([2, 3, 4], "float32");
const b = graph.buffer([2, 4, 5], "float32");
const one = graph.buffer([1, 4, 5], "float32");
const left = graph.buffer([1, 3, 4], "float32");
const column = graph.buffer([2, 3, 1], "float32");
const row = graph.buffer([2, 1, 5], "float32");
const names = new Map([[a, "a"], [b, "b"], [one, "one"], [left, "left"], [column, "column"], [row, "row"]]); // prettier-ignore

const product = graph.contraction(a, b);
const repeated = graph.expand(one, [2, 4, 5]);
const single = graph.contraction(left, one);

describeRules(CONTRACTIONS, names, [
  {
    rule: "a product of a column and a row is elementwise",
    applies: [[graph.contraction(column, row), "multiply(expand[2, 3, 5](column), expand[2, 3, 5](row))"]],
    staysAway: [product],
  },
  {
    rule: "matrices that repeat are multiplied once",
    applies: [
      [graph.contraction(graph.expand(left, [2, 3, 4]), repeated), "expand[2, 3, 5](contraction(left, one))"],
      // An inner axis that repeats is summed over all the same.
      [
        graph.contraction(
          graph.expand(graph.slice(left, [0, 0, 0], [1, 3, 1]), [2, 3, 4]),
          graph.expand(graph.slice(one, [0, 0, 0], [1, 1, 5]), [2, 4, 5]),
        ),
        "expand[2, 3, 5](contraction(expand[1, 3, 4](slice[0..0, 0..2, 0..0](left)), expand[1, 4, 5](slice[0..0, 0..0, 0..4](one))))",
      ],
    ],
    staysAway: [product, graph.contraction(left, one)],
  },
  {
    rule: "one matrix for the whole batch: the batch is more rows",
    applies: [[graph.contraction(a, repeated), "reshape[2, 3, 5](contraction(reshape[1, 6, 4](a), one))"]],
    staysAway: [product, single, graph.contraction(graph.expand(left, [2, 3, 4]), b)],
  },
  {
    rule: "a transposed product is a product of transposed matrices",
    applies: [[graph.permute(product, [0, 2, 1]), "contraction(permute[0, 2, 1](b), permute[0, 2, 1](a))"]],
    staysAway: [graph.permute(product, [1, 0, 2]), [graph.permute(product, [0, 2, 1]), graph.unary("exp", product)]],
  },
  {
    rule: "a transposed product without its batch is a product of transposed matrices",
    applies: [
      [
        graph.permute(graph.reshape(single, [3, 5]), [1, 0]),
        "reshape[5, 3](contraction(permute[0, 2, 1](one), permute[0, 2, 1](left)))",
      ],
    ],
    staysAway: [graph.permute(graph.reshape(single, [5, 3]), [1, 0]), graph.permute(graph.reshape(product, [6, 5]), [1, 0])], // prettier-ignore
  },
]);
