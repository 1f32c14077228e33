import { OptionError, ShapeError } from "../../../base/errors.ts";
import { sizeOf } from "../shapes.ts";
import type { Tensor } from "../tensor.ts";
import { reduceLoss } from "./reduce-loss.ts";
import type { Reduction } from "./reduce-loss.ts";
import { where } from "./where.ts";

/** Options of `klDiv`. */
export interface KlDivOptions {
  /** "batchmean" divides the sum by the first size, which is the divergence; "mean", the default, by all elements. */
  readonly reduction?: Reduction | "batchmean";
  /** The targets are logarithms too. */
  readonly logTarget?: boolean;
}

/**
 * The Kullback-Leibler divergence of log-probabilities x from probabilities t: t (log(t) - x), reduced; 0 where t is 0.
 * [N, ..] and [N, ..] -> [] (or the shape that both broadcast to for "none"). @throws ShapeError, OptionError
 */
export function klDiv(x: Tensor, target: Tensor, { reduction = "mean", logTarget = false }: KlDivOptions = {}): Tensor {
  const each = logTarget ? target.exp().mul(target.sub(x)) : entropy(target).sub(target.mul(x));
  if (reduction !== "batchmean") return reduceLoss("klDiv", each, reduction);
  if (x.shape.length === 0) throw new ShapeError("klDiv: expected a batch for batchmean, found the shape []");
  const count = sizeOf(x.shape, 0);
  if (count === 0) throw new OptionError("klDiv: expected a batch of at least one for batchmean, found none");
  return each.sum().div(count);
}

/** t log(t), 0 at 0. */
function entropy(target: Tensor): Tensor {
  const isPositive = target.gt(0);
  return where(isPositive, target.mul(where(isPositive, target, 1).log()), 0);
}
