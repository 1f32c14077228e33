import { binary } from "../../compiler/graph.ts";
import { defineOp } from "../op.ts";
import { binaryOperands } from "../operands.ts";
import type { Operand } from "../operands.ts";
import type { Tensor } from "../tensor.ts";
import { shares } from "./maximum.ts";

/** The gradient goes to the smaller operand; where they are equal, half to each. */
const op = defineOp<[Tensor, Tensor]>({
  name: "minimum",
  forward: ([a, b]) => binary(a.dtype === "bool" ? "and" : "minimum", a, b),
  backward: ({ grad, inputs: [a, b] }) => shares(grad, a.lt(b), a.eq(b)),
});

/** The smaller of a and b, elementwise, with broadcasting. */
export function minimum(a: Operand, b: Operand): Tensor {
  return op(binaryOperands("minimum", a, b), null);
}
