import { binary } from "../../compiler/graph.ts";
import { defineOp } from "../op.ts";
import { floatOperands } from "../operands.ts";
import type { Operand } from "../operands.ts";
import type { Tensor } from "../tensor.ts";

/** With y = a / b: dL/da = g / b; dL/db = -g * y / b. */
const op = defineOp<[Tensor, Tensor]>({
  name: "div",
  forward: ([a, b]) => binary("divide", a, b),
  backward: ({ grad, inputs: [, b], output }) => {
    const share = grad.div(b);
    return [share, share.mul(output).neg()];
  },
});

/** a / b, elementwise, with broadcasting; always float32, of integers too. */
export function div(a: Operand, b: Operand): Tensor {
  return op(floatOperands("div", a, b), null);
}
