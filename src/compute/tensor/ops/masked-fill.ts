import type { Tensor } from "../tensor.ts";
import { where } from "./where.ts";

/** `value` where `mask` is not 0, else `x`. */
export function maskedFill(x: Tensor, mask: Tensor, value: number): Tensor {
  return where(mask, value, x);
}
