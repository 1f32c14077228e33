import { binary } from "../../compiler/graph.ts";
import { defineOp } from "../op.ts";
import { binaryOperands } from "../operands.ts";
import type { Operand } from "../operands.ts";
import type { Tensor } from "../tensor.ts";

/** dL/da = g * b; dL/db = g * a. */
const op = defineOp<[Tensor, Tensor]>({
  name: "mul",
  forward: ([a, b]) => binary(a.dtype === "bool" ? "and" : "multiply", a, b),
  backward: ({ grad, inputs: [a, b] }) => [grad.mul(b), grad.mul(a)],
});

/** a * b, elementwise, with broadcasting; of bools, whether both are true. */
export function mul(a: Operand, b: Operand): Tensor {
  return op(binaryOperands("mul", a, b), null);
}
