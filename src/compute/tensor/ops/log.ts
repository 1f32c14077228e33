import { unaryOp } from "../op.ts";
import type { Tensor } from "../tensor.ts";

/** The natural logarithm. dL/dx = g / x. */
export const log: (x: Tensor) => Tensor = unaryOp("log", ({ grad, x }) => grad.div(x));
