/** Arithmetic identities, one by one. Their operands are NaN, infinities and extreme integers among others. */
import * as graph from "../../../../src/compute/compiler/graph.ts";
import type { BinaryFunction, Node } from "../../../../src/compute/compiler/ir.ts";
import { ALGEBRA } from "../../../../src/compute/compiler/passes/algebra.ts";
import { describeRules } from "./rule-examples.ts";

const SHAPE = [3, 4];
const x = graph.buffer(SHAPE, "float32");
const y = graph.buffer(SHAPE, "float32");
const i = graph.buffer(SHAPE, "int32");
const j = graph.buffer(SHAPE, "int32");
const w = graph.buffer(SHAPE, "uint32");
const b = graph.buffer(SHAPE, "bool");
const names = new Map([[x, "x"], [y, "y"], [i, "i"], [j, "j"], [w, "w"], [b, "b"]]); // prettier-ignore

function of(fn: BinaryFunction, left: Node | number, right: Node | number): Node {
  const { dtype } = typeof left === "number" ? (right as Node) : left;
  const node = (side: Node | number): Node => (typeof side === "number" ? graph.constant(side, SHAPE, dtype) : side);
  return graph.binary(fn, node(left), node(right));
}

const negate = (node: Node): Node => graph.unary("negate", node);
const not = (node: Node): Node => graph.unary("not", node);

describeRules(ALGEBRA, names, [
  {
    rule: "a constant operand goes to the right",
    applies: [
      [of("add", 2, x), "add(x, 2)"],
      [of("equal", 2, i), "equal(i, 2)"],
    ],
    staysAway: [of("subtract", 2, x), of("less", 2, i), of("add", x, 2)],
  },
  {
    rule: "x + 0 and x - 0 are x",
    applies: [
      [of("add", x, 0), "x"],
      [of("subtract", w, 0), "w"],
    ],
    staysAway: [of("subtract", 0, x), of("add", x, 1), of("multiply", x, 0)],
  },
  {
    rule: "x * 1, x / 1 and x^1 are x",
    applies: [
      [of("multiply", x, 1), "x"],
      [of("divide", i, 1), "i"],
      [of("power", x, 1), "x"],
    ],
    staysAway: [of("divide", 1, x), of("power", 1, x), of("remainder", x, 1)],
  },
  {
    rule: "x and 1.. is x, x or 1.. is 1..",
    applies: [
      [of("and", b, 1), "b"],
      [of("or", b, 1), "true"],
      [of("and", i, -1), "i"],
      [of("or", w, 2 ** 32 - 1), "4294967295"],
    ],
    staysAway: [of("and", i, 1), of("or", w, 1)],
  },
  {
    rule: "x and 0 is 0, x or 0 is x",
    applies: [
      [of("and", w, 0), "0"],
      [of("or", b, 0), "b"],
    ],
    staysAway: [of("and", b, 1), of("or", i, 4)],
  },
  {
    rule: "x * 0 is 0, for integers",
    applies: [[of("multiply", i, 0), "0"]],
    // Of NaN and infinities it is NaN.
    staysAway: [of("multiply", x, 0), of("multiply", i, 2)],
  },
  {
    rule: "x % 1 is 0, for integers",
    applies: [[of("remainder", w, 1), "0"]],
    staysAway: [of("remainder", x, 1), of("remainder", w, 2)],
  },
  {
    rule: "x - x is 0, for integers",
    applies: [[of("subtract", i, i), "0"]],
    staysAway: [of("subtract", x, x), of("subtract", i, j)],
  },
  {
    rule: "(x + a) + b is x + (a + b), and so for products, for integers",
    applies: [
      [of("add", of("add", i, 3), 4), "add(i, 7)"],
      [of("multiply", of("multiply", w, 65537), 65536), "multiply(w, 65536)"],
    ],
    // Two roundings are not one.
    staysAway: [of("add", of("add", x, 3), 4), of("multiply", of("add", i, 3), 4), of("add", of("add", i, j), 4)],
  },
  {
    rule: "min(x, x), max(x, x), x and x, x or x are x",
    applies: [
      [of("minimum", x, x), "x"],
      [of("or", b, b), "b"],
    ],
    staysAway: [of("maximum", x, y), of("add", i, i)],
  },
  {
    rule: "min(min(x, a), b) is min(x, min(a, b)), and so for max, and, or",
    applies: [
      [of("minimum", of("minimum", x, 3), 2), "minimum(x, 2)"],
      [of("and", of("and", i, 12), 10), "and(i, 8)"],
    ],
    staysAway: [of("minimum", of("maximum", x, 3), 2), of("minimum", of("minimum", x, y), 2)],
  },
  {
    rule: "x < x is false",
    applies: [[of("less", x, x), "false"]],
    staysAway: [of("less", x, y), of("lessEqual", x, x)],
  },
  {
    rule: "x = x and x <= x are true, x != x is false, but for floats",
    applies: [
      [of("equal", i, i), "true"],
      [of("lessEqual", w, w), "true"],
      [of("notEqual", b, b), "false"],
    ],
    staysAway: [of("equal", x, x), of("notEqual", x, x), of("equal", i, j)],
  },
  {
    rule: "-(-x) and not(not x) are x",
    applies: [
      [negate(negate(x)), "x"],
      [not(not(b)), "b"],
    ],
    staysAway: [negate(graph.unary("abs", x)), graph.unary("abs", negate(x))],
  },
  {
    rule: "|-x| and ||x|| are |x|",
    applies: [
      [graph.unary("abs", negate(i)), "abs(i)"],
      [graph.unary("abs", graph.unary("abs", x)), "abs(x)"],
    ],
    staysAway: [negate(graph.unary("abs", x)), graph.unary("abs", graph.unary("sign", x))],
  },
  {
    rule: "x * -1 and x / -1 are -x",
    applies: [
      [of("multiply", x, -1), "negate(x)"],
      [of("divide", i, -1), "negate(i)"],
    ],
    staysAway: [of("multiply", x, -2), of("divide", -1, x)],
  },
  {
    rule: "x + -y is x - y",
    applies: [
      [of("add", x, negate(y)), "subtract(x, y)"],
      [of("add", negate(i), 1), "subtract(1, i)"],
    ],
    staysAway: [of("subtract", negate(x), y), of("add", x, y)],
  },
  {
    rule: "x - -y is x + y",
    applies: [[of("subtract", x, negate(y)), "add(x, y)"]],
    staysAway: [of("subtract", negate(x), y)],
  },
  {
    rule: "-x * -y is x * y",
    applies: [[of("multiply", negate(x), negate(y)), "multiply(x, y)"]],
    staysAway: [of("multiply", negate(x), y), of("add", negate(x), negate(y))],
  },
  {
    rule: "-x * c is x * -c",
    applies: [[of("multiply", negate(x), 3), "multiply(x, -3)"]],
    staysAway: [of("multiply", negate(x), y), of("divide", negate(x), 3)],
  },
  {
    rule: "x / 2^n is x * 2^-n, for floats",
    applies: [
      [of("divide", x, 8), "multiply(x, 0.125)"],
      [of("divide", x, -0.5), "multiply(x, -2)"],
    ],
    // 1 / 3 and 2^-127 are rounded, and integers are cut off.
    staysAway: [of("divide", x, 3), of("divide", x, 2 ** 127), of("divide", i, 8), of("divide", x, 0)],
  },
  {
    rule: "x^0, x^2, x^3, x^4, x^-1 and x^0.5 take no logarithm",
    applies: [
      [of("power", x, 0), "1"],
      [of("power", x, 2), "multiply(x, x)"],
      [of("power", i, 3), "multiply(multiply(i, i), i)"],
      [of("power", x, 4), "multiply(multiply(x, x), multiply(x, x))"],
      [of("power", x, -1), "divide(1, x)"],
      [of("power", graph.unary("abs", x), 0.5), "sqrt(abs(x))"],
    ],
    staysAway: [of("power", x, 1.5), of("power", x, y), of("power", 2, x), of("power", i, -1)],
  },
]);
