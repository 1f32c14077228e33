import type { Tensor } from "../tensor.ts";
import { div } from "./div.ts";

/** 1 / x. */
export function reciprocal(x: Tensor): Tensor {
  return div(1, x);
}
