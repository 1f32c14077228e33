import { unaryOp } from "../op.ts";
import type { Tensor } from "../tensor.ts";

/** -x. dL/dx = -g. */
export const neg: (x: Tensor) => Tensor = unaryOp("negate", ({ grad }) => grad.neg(), { keepsIntegers: true });
