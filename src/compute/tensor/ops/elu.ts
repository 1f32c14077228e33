/** Exponential linear units: the identity above 0, a scaled e^x - 1 below. */
import { choose, isAbove, times } from "../node-arithmetic.ts";
import { toFloat } from "../operands.ts";
import type { Tensor } from "../tensor.ts";
import { defineWideOp } from "../wide-op.ts";
import { expm1Node } from "./expm1.ts";
import { where } from "./where.ts";

interface Settings {
  /** The slope above 0. */
  readonly above: number;
  /** What (e^(rate x) - 1) is multiplied by below. */
  readonly below: number;
  readonly rate: number;
}

/** dL/dx = g * above where x > 0, else g * below * rate * e^(rate x). */
const op = defineWideOp<[Tensor], Settings>({
  name: "elu",
  forward: ([x], { above, below, rate }) => {
    const isPositive = isAbove(x, 0);
    const negative = choose(isPositive, 0, times(x, rate));
    return choose(isPositive, times(x, above), times(expm1Node(negative), below));
  },
  backward: ({ grad, inputs: [x], options: { above, below, rate } }) => {
    const isPositive = x.gt(0);
    const slope = where(isPositive, 0, x.mul(rate)).exp().mul(below * rate); // prettier-ignore
    return [grad.mul(where(isPositive, above, slope))];
  },
});

/** The fixed point of "Self-Normalizing Neural Networks" (Klambauer et al., 2017): mean 0 and variance 1 are kept. */
const SELU_ALPHA = 1.6732632423543772;
const SELU_SCALE = 1.0507009873554805;

/** Options of `elu` and `celu`. */
export interface EluOptions {
  /** 1 by default. */
  readonly alpha?: number;
}

/** x where x > 0, else alpha * (e^x - 1). */
export function elu(x: Tensor, { alpha = 1 }: EluOptions = {}): Tensor {
  return op([toFloat(x)], { above: 1, below: alpha, rate: 1 });
}

/** scale * elu(x, alpha), with the constants of self-normalizing networks. */
export function selu(x: Tensor): Tensor {
  return op([toFloat(x)], { above: SELU_SCALE, below: SELU_SCALE * SELU_ALPHA, rate: 1 });
}

/** x where x > 0, else alpha * (e^(x / alpha) - 1): its slope has no jump. */
export function celu(x: Tensor, { alpha = 1 }: EluOptions = {}): Tensor {
  return op([toFloat(x)], { above: 1, below: alpha, rate: 1 / alpha });
}
