import { unary } from "../../compiler/graph.ts";
import type { Node } from "../../compiler/ir.ts";
import { atLeast, choose, isEqual, minus, plus } from "../node-arithmetic.ts";
import { floatOperands } from "../operands.ts";
import type { Operand } from "../operands.ts";
import type { Tensor } from "../tensor.ts";
import { defineWideOp } from "../wide-op.ts";
import { log1pNode } from "./log1p.ts";

/** max(a, b) + log1p(e^-|a - b|). dL/da = g * sigmoid(a - b); dL/db = g * sigmoid(b - a). */
const op = defineWideOp<[Tensor, Tensor]>({
  name: "logAddExp",
  forward: ([a, b]) => logAddExpNode(a, b),
  backward: ({ grad, inputs: [a, b] }) => {
    const gap = a.eq(b).where(0, a.sub(b));
    return [grad.mul(gap.sigmoid()), grad.mul(gap.neg().sigmoid())];
  },
});

/** log(e^a + e^b) */
export function logAddExpNode(a: Node, b: Node): Node {
  const gap = choose(isEqual(a, b), 0, unary("abs", minus(a, b))); // Equal infinities have no difference.
  return plus(atLeast(a, b), log1pNode(unary("exp", unary("negate", gap))));
}

/** log(e^a + e^b), elementwise, with broadcasting, without overflow. */
export function logAddExp(a: Operand, b: Operand): Tensor {
  return op(floatOperands("logAddExp", a, b), null);
}
