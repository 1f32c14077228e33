import { select } from "../../compiler/graph.ts";
import { defineOp } from "../op.ts";
import { commonDType, shapeOf, toOperand } from "../operands.ts";
import type { Operand } from "../operands.ts";
import { broadcastShapes } from "../shapes.ts";
import type { Tensor } from "../tensor.ts";

/** dL/dyes = g where the condition holds, else 0; dL/dno the other way round. */
const op = defineOp<[Tensor, Tensor, Tensor]>({
  name: "where",
  forward: ([condition, yes, no]) => select(condition, yes, no),
  backward: ({ grad, inputs: [condition] }) => [null, condition.where(grad, 0), condition.where(0, grad)],
});

/** `yes` where `condition` is not 0, else `no`; all three broadcast. */
export function where(condition: Tensor, yes: Operand, no: Operand): Tensor {
  const dtype = commonDType(yes, no);
  const values = broadcastShapes("where", shapeOf(yes), shapeOf(no));
  const shape = broadcastShapes("where", condition.shape, values);
  return op([toOperand(condition, shape, "bool"), toOperand(yes, shape, dtype), toOperand(no, shape, dtype)], null);
}
