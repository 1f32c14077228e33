/** Losses of regression: a function of the difference x - y at each element, reduced. Both have one shape. */
import { OptionError } from "../../../base/errors.ts";
import type { Tensor } from "../tensor.ts";
import { checkFrom, checkPair, reduceLoss } from "./reduce-loss.ts";
import type { LossOptions } from "./reduce-loss.ts";
import { where } from "./where.ts";

/** (x - y)^2, reduced: [..] and [..] -> [] (or [..] for "none"). @throws ShapeError, OptionError */
export function mseLoss(x: Tensor, y: Tensor, { reduction }: LossOptions = {}): Tensor {
  return reduceLoss("mseLoss", difference("mseLoss", x, y).square(), reduction);
}

/** |x - y|, reduced: [..] and [..] -> [] (or [..] for "none"). @throws ShapeError, OptionError */
export function l1Loss(x: Tensor, y: Tensor, { reduction }: LossOptions = {}): Tensor {
  return reduceLoss("l1Loss", difference("l1Loss", x, y).abs(), reduction);
}

/** Options of `huberLoss`. */
export interface HuberLossOptions extends LossOptions {
  /** Where the parabola ends: 1 by default. */
  readonly delta?: number;
}

/**
 * With d = |x - y|: d^2 / 2 up to `delta`, then delta (d - delta / 2); reduced (Huber, "Robust Estimation of a Location
 * Parameter", 1964). [..] and [..] -> [] (or [..] for "none"). @throws ShapeError, OptionError
 */
export function huberLoss(x: Tensor, y: Tensor, { delta = 1, reduction }: HuberLossOptions = {}): Tensor {
  if (!(delta > 0)) throw new OptionError(`huberLoss: expected delta above 0, found ${delta}`);
  return reduceLoss("huberLoss", huber(difference("huberLoss", x, y), delta), reduction);
}

/** Options of `smoothL1Loss`. */
export interface SmoothL1LossOptions extends LossOptions {
  /** Where the parabola ends: 1 by default; 0 gives the L1 loss. */
  readonly beta?: number;
}

/** huberLoss with delta `beta`, divided by it: [..] and [..] -> [] (or [..] for "none"). @throws ShapeError, OptionError */
export function smoothL1Loss(x: Tensor, y: Tensor, { beta = 1, reduction }: SmoothL1LossOptions = {}): Tensor {
  checkFrom("smoothL1Loss", "beta", beta, 0);
  const d = difference("smoothL1Loss", x, y);
  return reduceLoss("smoothL1Loss", beta === 0 ? d.abs() : huber(d, beta).div(beta), reduction);
}

function huber(d: Tensor, delta: number): Tensor {
  const size = d.abs();
  return where(size.le(delta), d.square().mul(0.5), size.sub(delta / 2).mul(delta));
}

function difference(operation: string, x: Tensor, y: Tensor): Tensor {
  checkPair(operation, x, y);
  return x.sub(y);
}
