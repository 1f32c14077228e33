import { unaryOp } from "../op.ts";
import type { Tensor } from "../tensor.ts";

/** y = tanh(x). dL/dx = g * (1 - y^2). */
export const tanh: (x: Tensor) => Tensor = unaryOp("tanh", ({ grad, y }) => grad.mul(y.square().neg().add(1)));
