import { unary } from "../../compiler/graph.ts";
import { choose, complement, isBelow, minus, over, times } from "../node-arithmetic.ts";
import type { Node } from "../../compiler/ir.ts";
import { formulaOp } from "../formula-op.ts";
import type { Tensor } from "../tensor.ts";
import { log1pNode } from "./log1p.ts";

/** log(x / (1 - x)): near 1/2 as log1p((2x - 1) / (1 - x)), elsewhere as log(x) - log1p(-x). */
function logitNode(x: Node): Node {
  const isMiddle = isBelow(unary("abs", minus(x, 0.5)), 0.1);
  const middle = choose(isMiddle, x, 0.5);
  const near = log1pNode(over(minus(times(middle, 2), 1), complement(1, middle)));
  const outer = choose(isMiddle, 0.25, x);
  return choose(isMiddle, near, minus(unary("log", outer), log1pNode(unary("negate", outer))));
}

/** dL/dx = g / (x (1 - x)). */
const op = formulaOp("logit", logitNode, ({ grad, x }) => grad.div(x.mul(x.neg().add(1))));

/** Options of `logit`. */
export interface LogitOptions {
  /** `x` is limited to [eps, 1 - eps] first; by default it is not. */
  readonly eps?: number | null;
}

/** log(x / (1 - x)): the inverse of sigmoid. */
export function logit(x: Tensor, { eps = null }: LogitOptions = {}): Tensor {
  return op(eps === null ? x : x.clamp({ min: eps, max: 1 - eps }));
}
