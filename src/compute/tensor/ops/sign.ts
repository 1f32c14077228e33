import { unaryOp } from "../op.ts";
import type { Tensor } from "../tensor.ts";

/** -1, 0 or 1. Its gradient is 0. */
export const sign: (x: Tensor) => Tensor = unaryOp("sign", ({ grad }) => grad.mul(0), { keepsIntegers: true });
