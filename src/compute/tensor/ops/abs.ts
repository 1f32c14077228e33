import { unaryOp } from "../op.ts";
import type { Tensor } from "../tensor.ts";

/** |x|. dL/dx = g * sign(x). */
export const abs: (x: Tensor) => Tensor = unaryOp("abs", ({ grad, x }) => grad.mul(x.sign()), { keepsIntegers: true });
