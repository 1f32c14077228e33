import { isFloat } from "../../layout/dtype.ts";
import type { Tensor } from "../tensor.ts";
import { isInf, isNaN } from "./is-finite.ts";
import { where } from "./where.ts";

/** Options of `nanToNum`. */
export interface NanToNumOptions {
  /** In place of NaN; 0 by default. */
  readonly nan?: number;
  /** In place of infinity; the largest finite number by default. */
  readonly posInf?: number | null;
  /** In place of -infinity; the lowest finite number by default. */
  readonly negInf?: number | null;
}

/** `x` with numbers in place of NaN and infinities. dL/dx = g where x is finite, else 0. */
export function nanToNum(x: Tensor, { nan = 0, posInf, negInf }: NanToNumOptions = {}): Tensor {
  if (!isFloat(x.dtype)) return x;
  const max = x.dtype === "float16" ? 65_504 : 3.4028234663852886e38;
  const bounded = where(isInf(x), where(x.gt(0), posInf ?? max, negInf ?? -max).cast(x.dtype), x);
  return where(isNaN(x), nan, bounded);
}
