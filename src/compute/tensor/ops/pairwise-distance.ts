import { OptionError } from "../../../base/errors.ts";
import type { Tensor } from "../tensor.ts";
import type { ReduceOptions } from "./sum.ts";
import { where } from "./where.ts";

/** Options of `pairwiseDistance`. */
export interface PairwiseDistanceOptions extends ReduceOptions {
  /** Which norm: 2 by default, 1 and more, or Infinity. */
  readonly p?: number;
  /** Added to each difference: 1e-6 by default. */
  readonly eps?: number;
}

/** |x - y + eps| in the p-norm along the last axis: shapes that broadcast to [.., D] -> [..]. @throws ShapeError, OptionError */
export function pairwiseDistance(
  x: Tensor,
  y: Tensor,
  { p = 2, eps = 1e-6, keepDim = false }: PairwiseDistanceOptions = {},
): Tensor {
  if (!(p >= 1)) throw new OptionError(`pairwiseDistance: expected p from 1, found ${p}`);
  const difference = x.sub(y).add(eps);
  if (p === 1) return difference.abs().sum(-1, { keepDim });
  if (p === Infinity) return difference.abs().max(-1, { keepDim });
  if (p === 2) return root(difference.square().sum(-1, { keepDim }), 0.5);
  // Powers of 0 have no finite slope: they are left out.
  const isZero = difference.eq(0);
  const powers = where(isZero, 0, where(isZero, 1, difference.abs()).pow(p));
  return root(powers.sum(-1, { keepDim }), 1 / p);
}

/** x^exponent, whose slope at 0 is taken for 0. */
function root(x: Tensor, exponent: number): Tensor {
  const isPositive = x.gt(0);
  const safe = where(isPositive, x, 1);
  return where(isPositive, exponent === 0.5 ? safe.sqrt() : safe.pow(exponent), 0);
}
