import { unaryOp } from "../op.ts";
import type { Tensor } from "../tensor.ts";

/** The largest whole number not above x. Its gradient is 0. */
export const floor: (x: Tensor) => Tensor = unaryOp("floor", ({ grad }) => grad.mul(0));
