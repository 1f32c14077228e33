import type { Tensor } from "../tensor.ts";
import { roundingOp } from "./rounding.ts";

/** The largest whole number not above x. Its gradient is 0. */
export const floor: (x: Tensor) => Tensor = roundingOp("floor");
