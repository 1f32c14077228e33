import { OptionError, ShapeError } from "../../../base/errors.ts";
import { formatShape } from "../../layout/shape.ts";
import { toFloat } from "../operands.ts";
import type { Tensor } from "../tensor.ts";
import { castTo } from "./cast.ts";
import { diagonal } from "./diagonal.ts";
import { matmul } from "./matmul.ts";

/** Options of `cov`. */
export interface CovOptions {
  /** Taken off the number of observations: 1. */
  readonly correction?: number;
  /** How often each observation was made: whole numbers [n]. */
  readonly fweights?: Tensor;
  /** How much each observation counts: [n]. */
  readonly aweights?: Tensor;
}

/**
 * The covariances of variables [v, n] over n observations: [v, v]; of one variable, [1, n] or [n]: []. With weights w = f * a the
 * sum of w (x - mean)(y - mean) is divided by sum(w) - correction * sum(w * a) / sum(w). @throws ShapeError, OptionError
 */
export function cov(x: Tensor, { correction = 1, fweights, aweights }: CovOptions = {}): Tensor {
  if (x.shape.length > 2) throw new ShapeError(`cov: expected [v, n] or [n], found ${formatShape(x.shape)}`);
  if (!Number.isFinite(correction)) throw new OptionError(`cov: expected a finite correction, found ${correction}`);
  const rows = toFloat(x).reshape(x.shape.length === 2 ? x.shape : [1, x.size]);
  const count = rows.shape[1] ?? 0;
  for (const weights of [fweights, aweights]) {
    if (weights !== undefined && (weights.shape.length !== 1 || weights.size !== count)) {
      throw new ShapeError(`cov: expected weights [${count}], found ${formatShape(weights.shape)}`);
    }
  }
  const out = weightedCov(rows, correction, fweights, aweights);
  return out.size === 1 ? out.reshape([]) : out;
}

function weightedCov(rows: Tensor, correction: number, fweights?: Tensor, aweights?: Tensor): Tensor {
  if (fweights === undefined && aweights === undefined) {
    const apart = rows.sub(rows.mean(1, { keepDim: true }));
    return matmul(apart, apart.t()).div(Math.max(0, (rows.shape[1] ?? 0) - correction));
  }
  const a = aweights === undefined ? null : castTo(aweights, rows.dtype);
  const f = fweights === undefined ? null : castTo(fweights, rows.dtype);
  const weights = f === null ? (a as Tensor) : a === null ? f : f.mul(a);
  const total = weights.sum();
  const mean = rows.mul(weights).sum(1, { keepDim: true }).div(total);
  const apart = rows.sub(mean);
  const lost = a === null ? correction : weights.mul(a).sum().div(total).mul(correction);
  return matmul(apart.mul(weights), apart.t()).div(total.sub(lost).maximum(0));
}

/** The correlations of variables [v, n] over n observations: [v, v], from -1 to 1; of one variable: []. @throws ShapeError */
export function corrcoef(x: Tensor): Tensor {
  const covariance = cov(x);
  if (covariance.shape.length === 0) return covariance.div(covariance);
  const deviation = diagonal(covariance).sqrt();
  return covariance.div(deviation.unsqueeze(1)).div(deviation).clamp({ min: -1, max: 1 });
}
