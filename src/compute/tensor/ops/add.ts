import { binary } from "../../compiler/graph.ts";
import { defineOp } from "../op.ts";
import { binaryOperands } from "../operands.ts";
import type { Operand } from "../operands.ts";
import type { Tensor } from "../tensor.ts";

/** dL/da = g; dL/db = g. */
const op = defineOp<[Tensor, Tensor]>({
  name: "add",
  forward: ([a, b]) => binary(a.dtype === "bool" ? "or" : "add", a, b),
  backward: ({ grad }) => [grad, grad],
});

/** a + b, elementwise, with broadcasting; of bools, whether one is true. */
export function add(a: Operand, b: Operand): Tensor {
  return op(binaryOperands("add", a, b), null);
}
