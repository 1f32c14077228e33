import { unary } from "../../compiler/graph.ts";
import { atLeast, atMost, choose, isEqual, over, plus, times } from "../node-arithmetic.ts";
import { floatOperands } from "../operands.ts";
import type { Operand } from "../operands.ts";
import type { Tensor } from "../tensor.ts";
import { defineWideOp } from "../wide-op.ts";

/** y = m sqrt(1 + r^2), r the smaller over m, the larger. dL/da = g * a / y; dL/db = g * b / y; 0 where y = 0. */
const op = defineWideOp<[Tensor, Tensor]>({
  name: "hypot",
  forward: ([a, b]) => {
    const [x, y] = [unary("abs", a), unary("abs", b)];
    const longer = atLeast(x, y);
    const ratio = over(atMost(x, y), choose(isEqual(longer, 0), 1, longer));
    return times(longer, unary("sqrt", plus(times(ratio, ratio), 1)));
  },
  backward: ({ grad, inputs: [a, b], output: y }) => {
    const share = grad.div(y.eq(0).where(1, y));
    return [share.mul(a), share.mul(b)];
  },
});

/** sqrt(a^2 + b^2), elementwise, with broadcasting, without overflow. */
export function hypot(a: Operand, b: Operand): Tensor {
  return op(floatOperands("hypot", a, b), null);
}
