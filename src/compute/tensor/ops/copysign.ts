import { bitcast, cast, unary } from "../../compiler/graph.ts";
import { choose, isBelow } from "../node-arithmetic.ts";
import { defineOp } from "../op.ts";
import { floatOperands } from "../operands.ts";
import type { Operand } from "../operands.ts";
import type { Tensor } from "../tensor.ts";
import { signbit } from "./signbit.ts";

/** dL/da = g where a has the sign of b, -g where not, 0 where a = 0. */
const op = defineOp<[Tensor, Tensor]>({
  name: "copysign",
  forward: ([a, b]) => {
    const size = unary("abs", a);
    return choose(isBelow(bitcast(cast(b, "float32"), "int32"), 0), unary("negate", size), size);
  },
  backward: ({ grad, inputs: [a, b] }) => {
    const turned = signbit(a).ne(signbit(b)).where(grad.neg(), grad);
    return [a.eq(0).where(0, turned), null];
  },
});

/** |a| with the sign of b, that of -0 too. */
export function copysign(a: Operand, b: Operand): Tensor {
  return op(floatOperands("copysign", a, b), null);
}
