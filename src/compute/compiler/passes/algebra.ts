/**
 * Arithmetic identities.
 *
 * For integers whatever holds modulo 2^32 may be used. For floats a rule must give the same bits for all operands, NaN
 * and infinities included; so x * 0, x - x and x / x stay, nothing is reassociated ((x * a) * b rounds twice, x * (a b)
 * once) and nothing is distributed. Devices and the reference then agree whether a rule applied or not, and formulas
 * that live on rounding errors keep them. Two exceptions, as documented: x + 0 is x also for x = -0, and powers are
 * products and roots, which are exact where the device's own power is not.
 */
import { isFloat, isWhole, type DType } from "../../layout/dtype.ts";
import { binary, constant, unary } from "../graph.ts";
import type { Node } from "../ir.ts";
import { any, commuted, constantOf, on, rule, type Rule } from "./pattern.ts";

function like(node: Node, value: number): Node {
  return constant(value, node.shape, node.dtype);
}

function isInteger({ dtype }: Node): boolean {
  return isWhole(dtype);
}

/** The integer whose bits are all 1; for bool, true. */
function allBits(dtype: DType): number {
  return dtype === "int32" ? -1 : dtype === "uint32" ? 2 ** 32 - 1 : 1;
}

const COMMUTATIVE = ["add", "multiply", "minimum", "maximum", "equal", "notEqual", "and", "or"] as const;
const LATTICE = ["minimum", "maximum", "and", "or"] as const;

const NEUTRAL: readonly Rule[] = [
  rule({
    name: "a constant operand goes to the right",
    pattern: on("binary", { as: "op", fn: COMMUTATIVE }, constantOf("c"), any("x")),
    rewrite: ({ op, c, x }) => binary(op.primitive.fn, x, c),
  }),
  rule({
    name: "x + 0 and x - 0 are x",
    pattern: on(
      "binary",
      { fn: ["add", "subtract"] },
      any("x"),
      constantOf("zero", (value) => value === 0),
    ),
    rewrite: ({ x }) => x,
  }),
  rule({
    name: "x * 1, x / 1 and x^1 are x",
    pattern: on(
      "binary",
      { fn: ["multiply", "divide", "power"] },
      any("x"),
      constantOf("one", (value) => value === 1),
    ),
    rewrite: ({ x }) => x,
  }),
  rule({
    name: "x and 1.. is x, x or 1.. is 1..",
    pattern: on("binary", { as: "op", fn: ["and", "or"] }, any("x"), constantOf("c")),
    rewrite: ({ op, x, c }) => (c.primitive.value !== allBits(x.dtype) ? undefined : op.primitive.fn === "and" ? x : c),
  }),
  rule({
    name: "x and 0 is 0, x or 0 is x",
    pattern: on(
      "binary",
      { as: "op", fn: ["and", "or"] },
      any("x"),
      constantOf("zero", (value) => value === 0),
    ),
    rewrite: ({ op, x, zero }) => (op.primitive.fn === "and" ? zero : x),
  }),
];

const INTEGERS: readonly Rule[] = [
  rule({
    name: "x * 0 is 0, for integers",
    pattern: on(
      "binary",
      { fn: "multiply", where: isInteger },
      any(),
      constantOf("zero", (value) => value === 0),
    ),
    rewrite: ({ zero }) => zero,
  }),
  rule({
    name: "x % 1 is 0, for integers",
    pattern: on(
      "binary",
      { fn: "remainder", where: isInteger },
      any("x"),
      constantOf("one", (value) => value === 1),
    ),
    rewrite: ({ x }) => like(x, 0),
  }),
  rule({
    name: "x - x is 0, for integers",
    pattern: on("binary", { fn: "subtract", where: isInteger }, any("x"), any("x")),
    rewrite: ({ x }) => like(x, 0),
  }),
  rule({
    name: "(x + a) + b is x + (a + b), and so for products, for integers",
    pattern: on(
      "binary",
      { as: "outer", fn: ["add", "multiply"], where: isInteger },
      on("binary", { as: "inner" }, any("x"), constantOf("a")),
      constantOf("b"),
    ),
    rewrite: ({ outer: { primitive }, inner, x, a, b }) =>
      inner.primitive.fn === primitive.fn ? binary(primitive.fn, x, binary(primitive.fn, a, b)) : undefined,
  }),
];

const ORDER: readonly Rule[] = [
  rule({
    name: "min(x, x), max(x, x), x and x, x or x are x",
    pattern: on("binary", { fn: LATTICE }, any("x"), any("x")),
    rewrite: ({ x }) => x,
  }),
  rule({
    name: "min(min(x, a), b) is min(x, min(a, b)), and so for max, and, or",
    pattern: on(
      "binary",
      { as: "outer", fn: LATTICE },
      on("binary", { as: "inner" }, any("x"), constantOf("a")),
      constantOf("b"),
    ),
    rewrite: ({ outer: { primitive }, inner, x, a, b }) =>
      inner.primitive.fn === primitive.fn ? binary(primitive.fn, x, binary(primitive.fn, a, b)) : undefined,
  }),
  rule({
    name: "x < x is false",
    pattern: on("binary", { as: "op", fn: "less" }, any("x"), any("x")),
    rewrite: ({ op }) => like(op, 0),
  }),
  rule({
    // A NaN is not equal to itself.
    name: "x = x and x <= x are true, x != x is false, but for floats",
    pattern: on("binary", { as: "op", fn: ["equal", "lessEqual", "notEqual"] }, any("x"), any("x")),
    rewrite: ({ op, x }) => (isFloat(x.dtype) ? undefined : like(op, Number(op.primitive.fn !== "notEqual"))),
  }),
];

const SIGNS: readonly Rule[] = [
  rule({
    name: "-(-x) and not(not x) are x",
    pattern: on("unary", { as: "outer", fn: ["negate", "not"] }, on("unary", { as: "inner" }, any("x"))),
    rewrite: ({ outer, inner, x }) => (outer.primitive.fn === inner.primitive.fn ? x : undefined),
  }),
  rule({
    name: "|-x| and ||x|| are |x|",
    pattern: on("unary", { fn: "abs" }, on("unary", { fn: ["negate", "abs"] }, any("x"))),
    rewrite: ({ x }) => unary("abs", x),
  }),
  rule({
    name: "x * -1 and x / -1 are -x",
    pattern: on(
      "binary",
      { fn: ["multiply", "divide"], where: ({ dtype }) => dtype !== "uint32" },
      any("x"),
      constantOf("c", (value) => value === -1),
    ),
    rewrite: ({ x }) => unary("negate", x),
  }),
  rule({
    name: "x + -y is x - y",
    pattern: commuted({ fn: "add" }, any("x"), on("unary", { fn: "negate" }, any("y"))),
    rewrite: ({ x, y }) => binary("subtract", x, y),
  }),
  rule({
    name: "x - -y is x + y",
    pattern: on("binary", { fn: "subtract" }, any("x"), on("unary", { fn: "negate" }, any("y"))),
    rewrite: ({ x, y }) => binary("add", x, y),
  }),
  rule({
    name: "-x * -y is x * y",
    pattern: on(
      "binary",
      { fn: "multiply" },
      on("unary", { fn: "negate" }, any("x")),
      on("unary", { fn: "negate" }, any("y")),
    ),
    rewrite: ({ x, y }) => binary("multiply", x, y),
  }),
  rule({
    name: "-x * c is x * -c",
    pattern: on("binary", { fn: "multiply" }, on("unary", { fn: "negate" }, any("x")), constantOf("c")),
    rewrite: ({ x, c }) => binary("multiply", x, unary("negate", c)),
  }),
];

/** Reciprocals of these are exact, and normal numbers. */
function isPowerOfTwo(value: number): boolean {
  const exponent = Math.log2(Math.abs(value));
  return Number.isInteger(exponent) && Math.abs(exponent) <= 126;
}

const POWERS: readonly Rule[] = [
  rule({
    name: "x / 2^n is x * 2^-n, for floats",
    pattern: on("binary", { fn: "divide" }, any("x"), constantOf("c", isPowerOfTwo)),
    rewrite: ({ x, c }) => (isFloat(x.dtype) ? binary("multiply", x, like(x, 1 / c.primitive.value)) : undefined),
  }),
  rule({
    name: "x^0, x^2, x^3, x^4, x^-1 and x^0.5 take no logarithm",
    rounding: "once for each product or root, where a power is off by more",
    pattern: on("binary", { fn: "power" }, any("x"), constantOf("n")),
    rewrite: ({ x, n }) => powerOf(x, n.primitive.value),
  }),
];

function powerOf(x: Node, exponent: number): Node | undefined {
  const square = (y: Node): Node => binary("multiply", y, y);
  switch (exponent) {
    case 0:
      return like(x, 1);
    case 2:
      return square(x);
    case 3:
      return binary("multiply", square(x), x);
    case 4:
      return square(square(x));
    case -1:
      return isFloat(x.dtype) ? binary("divide", like(x, 1), x) : undefined;
    case 0.5:
      return unary("sqrt", x);
    default:
      return undefined;
  }
}

/** Identities of arithmetic and of order. */
export const ALGEBRA: readonly Rule[] = [...NEUTRAL, ...INTEGERS, ...ORDER, ...SIGNS, ...POWERS];
