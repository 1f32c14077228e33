import { binary, constant, unary } from "../../compiler/graph.ts";
import { defineWideOp } from "../wide-op.ts";
import { toFloat } from "../operands.ts";
import type { Tensor } from "../tensor.ts";

/** With y = 1 / sqrt(x): dL/dx = -g * y^3 / 2. */
const op = defineWideOp<[Tensor]>({
  name: "rsqrt",
  forward: ([x]) => binary("divide", constant(1, x.shape, x.dtype), unary("sqrt", x)),
  backward: ({ grad, output: y }) => [grad.mul(y.pow(3)).mul(-0.5)],
});

/** 1 / sqrt(x). */
export function rsqrt(x: Tensor): Tensor {
  return op([toFloat(x)], null);
}
