/** Choices, comparisons and conversions, one rule at a time. */
import * as graph from "../../../../src/compute/compiler/graph.ts";
import type { BinaryFunction, Node } from "../../../../src/compute/compiler/ir.ts";
import { CHOICES } from "../../../../src/compute/compiler/passes/choices.ts";
import { describeRules } from "./rule-examples.ts";

const SHAPE = [3, 4];
const x = graph.buffer(SHAPE, "float32");
const y = graph.buffer(SHAPE, "float32");
const i = graph.buffer(SHAPE, "int32");
const j = graph.buffer(SHAPE, "int32");
const w = graph.buffer(SHAPE, "uint32");
const b = graph.buffer(SHAPE, "bool");
const h = graph.buffer(SHAPE, "float16");
const names = new Map([[x, "x"], [y, "y"], [i, "i"], [j, "j"], [w, "w"], [b, "b"], [h, "h"]]); // prettier-ignore

function of(fn: BinaryFunction, left: Node | number, right: Node | number): Node {
  const { dtype } = typeof left === "number" ? (right as Node) : left;
  const node = (side: Node | number): Node => (typeof side === "number" ? graph.constant(side, SHAPE, dtype) : side);
  return graph.binary(fn, node(left), node(right));
}

const negate = (node: Node): Node => graph.unary("negate", node);
const not = (node: Node): Node => graph.unary("not", node);
const bool = (value: 0 | 1): Node => graph.constant(value, SHAPE, "bool");
const isEqual = of("equal", x, y);
const empty = graph.buffer([0, 2], "float32");

describeRules(CHOICES, names, [
  {
    rule: "c ? x : x is x",
    applies: [[graph.select(b, x, x), "x"]],
    staysAway: [graph.select(b, x, y)],
  },
  {
    rule: "not c ? x : y is c ? y : x",
    applies: [[graph.select(not(b), x, y), "select(b, y, x)"]],
    staysAway: [graph.select(b, x, y)],
  },
  {
    rule: "c ? (c ? x : y) : z is c ? x : z",
    applies: [[graph.select(b, graph.select(b, x, y), negate(x)), "select(b, x, negate(x))"]],
    staysAway: [graph.select(b, graph.select(not(b), x, y), negate(x))],
  },
  {
    rule: "c ? x : (c ? y : z) is c ? x : z",
    applies: [[graph.select(b, x, graph.select(b, y, negate(x))), "select(b, x, negate(x))"]],
    staysAway: [graph.select(b, x, graph.select(not(b), y, negate(x)))],
  },
  {
    rule: "c ? true : false is c",
    applies: [
      [graph.select(b, bool(1), bool(0)), "b"],
      [graph.select(b, bool(0), bool(1)), "not(b)"],
    ],
    staysAway: [graph.select(b, of("add", graph.constant(1, SHAPE, "int32"), 0), of("multiply", i, 0))],
  },
  {
    rule: "not (x = y) is x != y",
    applies: [
      [not(of("equal", x, y)), "notEqual(x, y)"],
      [not(of("notEqual", i, j)), "equal(i, j)"],
    ],
    // Who else reads it would have it computed twice.
    staysAway: [not(of("less", x, y)), [not(isEqual), isEqual]],
  },
  {
    rule: "not (x < y) is y <= x, for integers",
    applies: [
      [not(of("less", i, j)), "lessEqual(j, i)"],
      [not(of("lessEqual", i, 3)), "less(3, i)"],
    ],
    // Of NaN neither holds.
    staysAway: [not(of("less", x, y)), not(of("equal", i, j))],
  },
  {
    rule: "a cast of a cast that lost nothing is one cast",
    applies: [
      [graph.cast(graph.cast(b, "int32"), "float32"), "float32(b)"],
      [graph.cast(graph.cast(i, "uint32"), "int32"), "i"],
      [graph.cast(graph.cast(h, "float32"), "int32"), "int32(h)"],
      [graph.cast(graph.cast(b, "float32"), "bool"), "b"],
    ],
    staysAway: [
      graph.cast(graph.cast(i, "float32"), "int32"),
      graph.cast(graph.cast(x, "int32"), "float32"),
      graph.cast(graph.cast(i, "uint32"), "float32"),
      graph.cast(graph.cast(x, "float16"), "float32"),
    ],
  },
  {
    rule: "whole numbers are not rounded",
    applies: [[graph.unary("floor", graph.cast(i, "float32")), "float32(i)"]],
    staysAway: [graph.unary("floor", graph.cast(h, "float32")), graph.unary("abs", graph.cast(i, "float32"))],
  },
  {
    rule: "what is rounded is not rounded again",
    applies: [[graph.unary("ceil", graph.unary("floor", x)), "floor(x)"]],
    staysAway: [graph.unary("sqrt", graph.unary("floor", x)), graph.unary("floor", graph.unary("abs", x))],
  },
  {
    rule: "what has no elements is a constant",
    applies: [[graph.unary("abs", graph.reshape(empty, [2, 0])), "0"]],
    staysAway: [empty, negate(x)],
  },
]);
