import type { Tensor } from "../tensor.ts";
import { roundingOp } from "./rounding.ts";

/** x without its fraction. Its gradient is 0. */
export const trunc: (x: Tensor) => Tensor = roundingOp("trunc");

/** The fraction of x, with its sign: x - trunc(x). dL/dx = g. */
export function frac(x: Tensor): Tensor {
  return x.sub(trunc(x));
}
