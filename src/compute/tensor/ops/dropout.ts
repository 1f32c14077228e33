import { OptionError } from "../../../base/errors.ts";
import type { Tensor } from "../tensor.ts";
import { drawn } from "./draw.ts";
import type { RandomNumbers } from "./draw.ts";
import { where } from "./where.ts";

/** Options of `dropout`. */
export interface DropoutOptions {
  /** The share of elements that becomes 0. */
  readonly p?: number;
  /** False: nothing is dropped. */
  readonly training?: boolean;
  /** Where the bits come from; the default generator otherwise. Each call draws a key of its own. */
  readonly generator?: RandomNumbers;
}

/** Zeroes elements with probability p and scales the others by 1 / (1 - p), so that the mean stays. @throws OptionError */
export function dropout(x: Tensor, { p = 0.5, training = true, generator }: DropoutOptions = {}): Tensor {
  if (!(p >= 0 && p <= 1)) throw new OptionError(`dropout: expected p from 0 to 1, found ${p}`);
  if (!training || p === 0) return x;
  if (p === 1) return x.mul(0);
  const uniform = drawn("dropout", x.shape, { kind: "uniform", bits: 24 }, generator);
  return where(uniform.ge(p), x.mul(1 / (1 - p)), 0);
}
