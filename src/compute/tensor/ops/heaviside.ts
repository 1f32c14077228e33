import type { Operand } from "../operands.ts";
import type { Tensor } from "../tensor.ts";
import { castTo } from "./cast.ts";
import { where } from "./where.ts";

/** 0 where x < 0, `values` where x = 0, 1 where x > 0, in the dtype of x; no gradient flows to x. */
export function heaviside(x: Tensor, values: Operand): Tensor {
  return where(x.eq(0), values, castTo(x.gt(0), x.dtype));
}
