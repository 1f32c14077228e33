import { unary } from "../../compiler/graph.ts";
import { choose, complement, isBelow, minus, plus, times } from "../node-arithmetic.ts";
import { defineOp } from "../op.ts";
import { commonDType, shapeOf, toFloat, toOperand } from "../operands.ts";
import type { Operand } from "../operands.ts";
import { broadcastShapes } from "../shapes.ts";
import type { Tensor } from "../tensor.ts";

/** dL/da = g * (1 - w); dL/db = g * w; dL/dw = g * (b - a). */
const op = defineOp<[Tensor, Tensor, Tensor]>({
  name: "lerp",
  forward: ([a, b, weight]) => {
    const gap = minus(b, a);
    const nearEnd = minus(b, times(gap, complement(1, weight)));
    return choose(isBelow(unary("abs", weight), 0.5), plus(a, times(gap, weight)), nearEnd);
  },
  backward: ({ grad, inputs: [a, b, weight] }) => [grad.mul(weight.neg().add(1)), grad.mul(weight), grad.mul(b.sub(a))],
});

/** a + weight * (b - a), elementwise, with broadcasting; exactly b at weight 1. */
export function lerp(a: Tensor, b: Operand, weight: Operand): Tensor {
  const start = toFloat(a);
  const shape = broadcastShapes("lerp", broadcastShapes("lerp", a.shape, shapeOf(b)), shapeOf(weight));
  const ends = commonDType(start, b);
  const dtype = typeof weight === "number" || commonDType(weight, 0.5) !== "float32" ? ends : "float32";
  return op([toOperand(start, shape, dtype), toOperand(b, shape, dtype), toOperand(weight, shape, dtype)], null);
}
