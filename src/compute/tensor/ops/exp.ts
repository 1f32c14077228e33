import { unaryOp } from "../op.ts";
import type { Tensor } from "../tensor.ts";

/** y = e^x. dL/dx = g * y. */
export const exp: (x: Tensor) => Tensor = unaryOp("exp", ({ grad, y }) => grad.mul(y));
