import { unaryOp } from "../op.ts";
import type { Tensor } from "../tensor.ts";

const op = unaryOp("sign", ({ grad }) => grad.mul(0), { keepsIntegers: true });

/** -1, 0 or 1. Its gradient is 0. */
export function sign(x: Tensor): Tensor {
  if (x.dtype === "bool") return x;
  return x.dtype === "uint32" ? x.ne(0).cast("uint32") : op(x);
}
