import type { Tensor } from "../tensor.ts";
import { roundingOp } from "./rounding.ts";

/** The smallest whole number not below x. Its gradient is 0. */
export const ceil: (x: Tensor) => Tensor = roundingOp("ceil");
