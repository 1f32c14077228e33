import { binary, constant } from "../../compiler/graph.ts";
import { defineOp } from "../op.ts";
import type { Tensor } from "../tensor.ts";

/** dL/dx = g where x > 0, else 0. */
const op = defineOp<[Tensor]>({
  name: "relu",
  forward: ([x]) => binary("maximum", x, constant(0, x.shape, x.dtype)),
  backward: ({ grad, inputs: [x] }) => [x.gt(0).where(grad, 0)],
});

/** max(x, 0). */
export function relu(x: Tensor): Tensor {
  return op([x], null);
}
