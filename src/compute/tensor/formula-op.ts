/** Elementwise ops of one input that are a formula of several graph functions: one op, so that gradients need no detour through it. */
import type { Node } from "../compiler/ir.ts";
import type { UnaryBackward } from "./op.ts";
import { toFloat } from "./operands.ts";
import type { Tensor } from "./tensor.ts";
import { defineWideOp } from "./wide-op.ts";

/** y = formula(x), in float32; integers are cast to it. `backward` gives dL/dx. */
export function formulaOp(
  name: string,
  formula: (x: Node) => Node,
  backward: (context: UnaryBackward) => Tensor,
): (x: Tensor) => Tensor {
  const op = defineWideOp<[Tensor]>({
    name,
    forward: ([x]) => formula(x),
    backward: ({ grad, inputs: [x], output: y }) => [backward({ grad, x, y })],
  });
  return (x) => op([toFloat(x)], null);
}
