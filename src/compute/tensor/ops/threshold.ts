import type { Tensor } from "../tensor.ts";
import { where } from "./where.ts";

/** x where it is above `threshold`, else `value`. */
export function threshold(x: Tensor, threshold: number, value: number): Tensor {
  return where(x.gt(threshold), x, value);
}
