import { unaryOp } from "../op.ts";
import type { Tensor } from "../tensor.ts";

/** The smallest whole number not below x. Its gradient is 0. */
export const ceil: (x: Tensor) => Tensor = unaryOp("ceil", ({ grad }) => grad.mul(0));
