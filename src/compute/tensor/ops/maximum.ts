import { binary } from "../../compiler/graph.ts";
import { defineOp } from "../op.ts";
import { binaryOperands } from "../operands.ts";
import type { Operand } from "../operands.ts";
import type { Tensor } from "../tensor.ts";

/** The gradient goes to the larger operand; where they are equal, half to each. */
const op = defineOp<[Tensor, Tensor]>({
  name: "maximum",
  forward: ([a, b]) => binary(a.dtype === "bool" ? "or" : "maximum", a, b),
  backward: ({ grad, inputs: [a, b] }) => shares(grad, a.gt(b), a.eq(b)),
});

/** The larger of a and b, elementwise, with broadcasting. */
export function maximum(a: Operand, b: Operand): Tensor {
  return op(binaryOperands("maximum", a, b), null);
}

/** g to the first where it `wins`, to the second where it does not, half to each where they `tie`. */
export function shares(grad: Tensor, wins: Tensor, ties: Tensor): [Tensor, Tensor] {
  const half = grad.mul(0.5);
  return [ties.where(half, wins.where(grad, 0)), ties.where(half, wins.where(0, grad))];
}
