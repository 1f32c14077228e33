/** Negative logarithms of likelihoods: of counts under Poisson's distribution, and of values under a normal one. */
import { OptionError, ShapeError } from "../../../base/errors.ts";
import { formatShape, sameShape } from "../../layout/shape.ts";
import { filled } from "../operands.ts";
import type { Tensor } from "../tensor.ts";
import { checkFrom, checkPair, reduceLoss } from "./reduce-loss.ts";
import type { LossOptions } from "./reduce-loss.ts";
import { where } from "./where.ts";

/** Options of `poissonNllLoss`. */
export interface PoissonNllLossOptions extends LossOptions {
  /** x is the logarithm of the rate: true by default. */
  readonly logInput?: boolean;
  /** Adds Stirling's approximation of log(y!). */
  readonly full?: boolean;
  /** Added to a rate before its logarithm: 1e-8 by default. */
  readonly eps?: number;
}

/** e^x - y x, or x - y log(x + eps) for rates; reduced: [..] and [..] -> [], or [..] for "none". @throws ShapeError, OptionError */
export function poissonNllLoss(x: Tensor, y: Tensor, options: PoissonNllLossOptions = {}): Tensor {
  const { logInput = true, full = false, eps = 1e-8, reduction } = options;
  const base = logInput ? x.exp().sub(y.mul(x)) : x.sub(y.mul(x.add(eps).log()));
  if (!full) return reduceLoss("poissonNllLoss", base, reduction);
  const isLarge = y.gt(1);
  const count = where(isLarge, y, 2);
  const stirling = count.log().mul(count).sub(count).add(count.mul(2 * Math.PI).log().mul(0.5)); // prettier-ignore
  return reduceLoss("poissonNllLoss", base.add(where(isLarge, stirling, 0)), reduction);
}

/** Options of `gaussianNllLoss`. */
export interface GaussianNllLossOptions extends LossOptions {
  /** Adds log(2 pi) / 2. */
  readonly full?: boolean;
  /** Smaller variances count as this, though gradients reach them: 1e-6 by default. */
  readonly eps?: number;
}

/**
 * (log(v) + (x - y)^2 / v) / 2 of means x, values y and variances v; reduced: [.., D], [.., D] and v [.., D], [.., 1] or
 * [..] -> [], or [.., D] for "none". @throws ShapeError, OptionError
 */
export function gaussianNllLoss(
  x: Tensor,
  y: Tensor,
  variance: Tensor | number,
  { full = false, eps = 1e-6, reduction }: GaussianNllLossOptions = {},
): Tensor {
  checkPair("gaussianNllLoss", x, y);
  checkFrom("gaussianNllLoss", "eps", eps, 0);
  if (typeof variance === "number" && !(variance >= 0)) {
    throw new OptionError(`gaussianNllLoss: expected a variance from 0, found ${variance}`);
  }
  const given = typeof variance === "number" ? filled(x.shape, variance) : alongLast(variance, x);
  const bounded = given.add(given.maximum(eps).sub(given).detach());
  const each = bounded.log().add(x.sub(y).square().div(bounded)).mul(0.5);
  return reduceLoss("gaussianNllLoss", full ? each.add(0.5 * Math.log(2 * Math.PI)) : each, reduction);
}

function alongLast(variance: Tensor, x: Tensor): Tensor {
  const lead = x.shape.slice(0, -1);
  if (sameShape(variance.shape, x.shape) || sameShape(variance.shape, [...lead, 1])) return variance;
  if (x.shape.length > 0 && sameShape(variance.shape, lead)) return variance.unsqueeze(-1);
  throw new ShapeError(
    `gaussianNllLoss: expected variances for ${formatShape(x.shape)} or for all but its last axis, found ${formatShape(variance.shape)}`,
  );
}
