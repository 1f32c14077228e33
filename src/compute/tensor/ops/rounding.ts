/** What floor, ceil, round and trunc have in common: whole numbers stay as they are, and the gradient is 0. */
import { isFloat } from "../../layout/dtype.ts";
import { unaryOp } from "../op.ts";
import type { Tensor } from "../tensor.ts";

/** The op of a rounding function; integers and bools are returned unchanged. */
export function roundingOp(fn: "floor" | "ceil" | "round" | "trunc"): (x: Tensor) => Tensor {
  const op = unaryOp(fn, ({ grad }) => grad.mul(0));
  return (x) => (isFloat(x.dtype) ? op(x) : x);
}
