/**
 * Arithmetic on graph nodes of one shape, for formulas of ops: a number stands for a constant of the other operand's
 * dtype. Formulas pick between branches with `choose`, which computes both: each has to be finite where it is not taken.
 */
import { binary, bitcast, cast, constant, select, unary } from "../compiler/graph.ts";
import type { BinaryFunction, Node } from "../compiler/ir.ts";

/** An operand beside a node: another, or a number. */
export type Term = Node | number;

function apply(fn: BinaryFunction, a: Node, b: Term): Node {
  return binary(fn, a, typeof b === "number" ? constant(b, a.shape, a.dtype) : b);
}

export function plus(a: Node, b: Term): Node {
  return apply("add", a, b);
}

export function minus(a: Node, b: Term): Node {
  return apply("subtract", a, b);
}

export function times(a: Node, b: Term): Node {
  return apply("multiply", a, b);
}

export function over(a: Node, b: Term): Node {
  return apply("divide", a, b);
}

export function atMost(a: Node, b: Term): Node {
  return apply("minimum", a, b);
}

export function atLeast(a: Node, b: Term): Node {
  return apply("maximum", a, b);
}

/** a < b, bool */
export function isBelow(a: Node, b: Term): Node {
  return apply("less", a, b);
}

/** a > b, bool */
export function isAbove(a: Node, b: Term): Node {
  return binary("less", typeof b === "number" ? constant(b, a.shape, a.dtype) : b, a);
}

/** a = b, bool */
export function isEqual(a: Node, b: Term): Node {
  return apply("equal", a, b);
}

/** a - x */
export function complement(a: number, x: Node): Node {
  return binary("subtract", constant(a, x.shape, x.dtype), x);
}

/** a / x */
export function quotient(a: number, x: Node): Node {
  return binary("divide", constant(a, x.shape, x.dtype), x);
}

/** condition ? a : b; a number takes the other's dtype, float32 beside another number. */
export function choose(condition: Node, a: Term, b: Term): Node {
  const dtype = typeof a !== "number" ? a.dtype : typeof b !== "number" ? b.dtype : "float32";
  const node = (x: Term): Node => (typeof x === "number" ? constant(x, condition.shape, dtype) : x);
  return select(condition, node(a), node(b));
}

/** c[0] + x (c[1] + x (c[2] + ...)) */
export function polynomial(x: Node, coefficients: readonly number[]): Node {
  const highest = constant(coefficients.at(-1) ?? 0, x.shape, x.dtype);
  return coefficients.slice(0, -1).reduceRight<Node>((sum, c) => plus(times(x, sum), c), highest);
}

/** -y where x < 0, else y. */
export function withSignOf(x: Node, y: Node): Node {
  return choose(isBelow(x, 0), unary("negate", y), y);
}

/** 2^k, exactly, for float32 whole numbers k from -126 to 127, by their place in the exponent. */
export function powerOfTwo(k: Node): Node {
  return bitcast(times(plus(cast(k, "int32"), 127), 2 ** 23), "float32");
}
