import { unaryOp } from "../op.ts";
import type { Tensor } from "../tensor.ts";

/** The nearest whole number, the even one of two. Its gradient is 0. */
export const round: (x: Tensor) => Tensor = unaryOp("round", ({ grad }) => grad.mul(0));
