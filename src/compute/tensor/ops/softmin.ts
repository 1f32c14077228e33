import type { Tensor } from "../tensor.ts";
import { softmax } from "./softmax.ts";

/** e^-x / sum(e^-x) along `axis`. */
export function softmin(x: Tensor, axis: number): Tensor {
  return softmax(x.neg(), axis);
}
