import { unaryOp } from "../op.ts";
import type { Tensor } from "../tensor.ts";

/** y = sqrt(x). dL/dx = g / (2 y). */
export const sqrt: (x: Tensor) => Tensor = unaryOp("sqrt", ({ grad, y }) => grad.div(y.mul(2)));
