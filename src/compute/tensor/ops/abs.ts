import { unaryOp } from "../op.ts";
import type { Tensor } from "../tensor.ts";

const op = unaryOp("abs", ({ grad, x }) => grad.mul(x.sign()), { keepsIntegers: true });

/** |x|. dL/dx = g * sign(x), 0 at 0. */
export function abs(x: Tensor): Tensor {
  return x.dtype === "uint32" || x.dtype === "bool" ? x : op(x);
}
