import { unaryOp } from "../op.ts";
import type { Tensor } from "../tensor.ts";

/** sin(x). dL/dx = g * cos(x). */
export const sin: (x: Tensor) => Tensor = unaryOp("sin", ({ grad, x }) => grad.mul(x.cos()));
