import { OptionError, UnsupportedError } from "../../../base/errors.ts";
import { isFloat } from "../../layout/dtype.ts";
import type { Tensor } from "../tensor.ts";
import { roundingOp } from "./rounding.ts";

const toWhole = roundingOp("round");

/** Options of `round`. */
export interface RoundOptions {
  /** Digits that are kept after the point, 0 by default; negative ones round before it. */
  readonly decimals?: number;
}

/**
 * The nearest whole number, the even one of two; or the nearest multiple of 10^-decimals. Its gradient is 0.
 * @throws OptionError, UnsupportedError for decimals of integers
 */
export function round(x: Tensor, { decimals = 0 }: RoundOptions = {}): Tensor {
  if (!Number.isInteger(decimals)) throw new OptionError(`round: expected whole decimals, found ${decimals}`);
  if (decimals === 0) return toWhole(x);
  if (!isFloat(x.dtype)) throw new UnsupportedError(`round: expected floats to round to decimals, found ${x.dtype}`);
  const scale = 10 ** Math.abs(decimals);
  return decimals > 0 ? toWhole(x.mul(scale)).div(scale) : toWhole(x.div(scale)).mul(scale);
}
