import { unary } from "../../compiler/graph.ts";
import type { Node } from "../../compiler/ir.ts";
import { atLeast, choose, isAbove, plus, times } from "../node-arithmetic.ts";
import { toFloat } from "../operands.ts";
import type { Tensor } from "../tensor.ts";
import { defineWideOp } from "../wide-op.ts";
import { log1pNode } from "./log1p.ts";
import { where } from "./where.ts";

interface Settings {
  readonly beta: number;
  readonly threshold: number;
}

/** log(1 + e^z) = max(z, 0) + log1p(e^-|z|), which cannot overflow. */
export function softplusNode(z: Node): Node {
  return plus(atLeast(z, 0), log1pNode(unary("exp", unary("negate", unary("abs", z)))));
}

/** dL/dx = g * sigmoid(beta x), g where it is the identity. */
const op = defineWideOp<[Tensor], Settings>({
  name: "softplus",
  forward: ([x], { beta, threshold }) => {
    const z = times(x, beta);
    return choose(isAbove(z, threshold), x, times(softplusNode(z), 1 / beta));
  },
  backward: ({ grad, inputs: [x], options: { beta, threshold } }) => {
    const z = x.mul(beta);
    return [where(z.gt(threshold), grad, grad.mul(z.sigmoid()))];
  },
});

/** Options of `softplus`. */
export interface SoftplusOptions {
  /** 1 by default. */
  readonly beta?: number;
  /** Where beta * x is above it, the result is x; 20 by default. */
  readonly threshold?: number;
}

/** log(1 + e^(beta x)) / beta: a smooth relu. */
export function softplus(x: Tensor, { beta = 1, threshold = 20 }: SoftplusOptions = {}): Tensor {
  return op([toFloat(x)], { beta, threshold });
}
