import { unary } from "../../compiler/graph.ts";
import type { Node } from "../../compiler/ir.ts";
import { formulaOp } from "../formula-op.ts";
import { choose, isBelow, minus, polynomial, times } from "../node-arithmetic.ts";
import type { Tensor } from "../tensor.ts";

/** 1/1!, 1/2!, ... 1/12!: (e^x - 1) / x to 3e-10 for |x| <= 1. */
const TAYLOR: readonly number[] = Array.from({ length: 12 }, (_, n) => 1 / factorial(n + 1));

function factorial(n: number): number {
  return n < 2 ? 1 : n * factorial(n - 1);
}

/** e^x - 1, by its Taylor series for |x| < 1. */
export function expm1Node(x: Node): Node {
  const isSmall = isBelow(unary("abs", x), 1);
  const small = choose(isSmall, x, 0);
  return choose(isSmall, times(small, polynomial(small, TAYLOR)), minus(unary("exp", x), 1));
}

/** e^x - 1, to the last digits for small x too. dL/dx = g * e^x. */
export const expm1: (x: Tensor) => Tensor = formulaOp("expm1", expm1Node, ({ grad, x }) => grad.mul(x.exp()));
