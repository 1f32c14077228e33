import { unary } from "../../compiler/graph.ts";
import type { Node } from "../../compiler/ir.ts";
import { formulaOp } from "../formula-op.ts";
import { choose, isAbove, isBelow, minus, powerOfTwo, times } from "../node-arithmetic.ts";
import type { Tensor } from "../tensor.ts";

/** Beyond it, float32 is 0 or infinite. */
const EXPONENT_MAX = 160;

/** x = k + f with k whole: 2^k e^(f log 2), with 2^k in two factors since it may not be a normal number. */
function exp2Node(x: Node): Node {
  const bounded = choose(isAbove(x, EXPONENT_MAX), EXPONENT_MAX, choose(isBelow(x, -EXPONENT_MAX), -EXPONENT_MAX, x));
  const k = unary("round", bounded);
  const half = unary("trunc", times(k, 0.5));
  const fraction = unary("exp", times(minus(bounded, k), Math.LN2));
  return times(times(fraction, powerOfTwo(half)), powerOfTwo(minus(k, half)));
}

/** y = 2^x; exact for whole x. dL/dx = g * y * log 2. */
export const exp2: (x: Tensor) => Tensor = formulaOp("exp2", exp2Node, ({ grad, y }) => grad.mul(y).mul(Math.LN2));
