import type { Tensor } from "../tensor.ts";
import { mul } from "./mul.ts";
import { sigmoid } from "./sigmoid.ts";

/** x * sigmoid(x). Its gradient, s * (1 + x * (1 - s)), comes out of the two ops and fuses into one kernel. */
export function silu(x: Tensor): Tensor {
  return mul(x, sigmoid(x));
}
