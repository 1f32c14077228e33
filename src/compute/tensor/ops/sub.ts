import { binary } from "../../compiler/graph.ts";
import { defineOp } from "../op.ts";
import { binaryOperands } from "../operands.ts";
import type { Operand } from "../operands.ts";
import type { Tensor } from "../tensor.ts";

/** dL/da = g; dL/db = -g. */
const op = defineOp<[Tensor, Tensor]>({
  name: "sub",
  forward: ([a, b]) => binary("subtract", a, b),
  backward: ({ grad }) => [grad, grad.neg()],
});

/** a - b, elementwise, with broadcasting. */
export function sub(a: Operand, b: Operand): Tensor {
  return op(binaryOperands("sub", a, b), null);
}
