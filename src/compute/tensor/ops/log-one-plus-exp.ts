import { binary, constant, unary } from "../../compiler/graph.ts";
import { defineOp } from "../op.ts";
import { toFloat } from "../operands.ts";
import type { Tensor } from "../tensor.ts";

/** dL/dx = g sigmoid(x). */
const op = defineOp<[Tensor]>({
  name: "logOnePlusExp",
  forward: ([x]) => {
    const tail = unary("exp", unary("negate", unary("abs", x)));
    const log = unary("log", binary("add", tail, constant(1, x.shape, x.dtype)));
    return binary("add", binary("maximum", x, constant(0, x.shape, x.dtype)), log);
  },
  backward: ({ grad, inputs: [x] }) => [grad.mul(x.sigmoid())],
});

/** log(1 + e^x) = max(x, 0) + log(1 + e^-|x|), which cannot overflow. Off by at most 1e-7 where it is small itself. */
export function logOnePlusExp(x: Tensor): Tensor {
  return op([toFloat(x)], null);
}
