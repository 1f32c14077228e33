import { unaryOp } from "../op.ts";
import type { Tensor } from "../tensor.ts";

/** cos(x). dL/dx = -g * sin(x). */
export const cos: (x: Tensor) => Tensor = unaryOp("cos", ({ grad, x }) => grad.mul(x.sin()).neg());
