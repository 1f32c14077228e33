/** RMSprop (Hinton, 2012, lecture 6e; centered: Graves, 2013). */
import type { Operand } from "../../../compute/tensor/operands.ts";
import type { Tensor } from "../../../compute/tensor/tensor.ts";
import { averaged, decayed, keptBy } from "./rule.ts";
import type { Decay, RuleInput } from "./rule.ts";

export interface RmspropRuleOptions {
  readonly alpha: number;
  readonly eps: number;
  readonly momentum: Decay;
  readonly weightDecay: Operand;
}

/** Averages that RMSprop keeps, in the parameter's shape. */
export interface RmspropState {
  readonly squareAvg: Tensor;
  /** Null without momentum. */
  readonly momentumBuffer: Tensor | null;
  /** Null unless centered. */
  readonly gradAvg: Tensor | null;
}

/**
 * g += decay p; v' = a v + (1 - a) g^2; m' = a m + (1 - a) g if centered; d = g / (sqrt(v' - m'^2) + eps);
 * b' = momentum b + d; p' = p - lr (b', or d without momentum).
 */
export function rmspropUpdate(
  input: RuleInput & RmspropState,
  { alpha, eps, momentum, weightDecay }: RmspropRuleOptions,
): RmspropState & { readonly parameter: Tensor } {
  const { parameter, lr } = input;
  const gradient = decayed(parameter, input.gradient, weightDecay);
  const squareAvg = averaged(input.squareAvg, gradient.square(), alpha);
  const gradAvg = input.gradAvg && averaged(input.gradAvg, gradient, alpha);
  // A variance: rounding alone makes it negative.
  const variance = gradAvg ? squareAvg.sub(gradAvg.square()).clamp({ min: 0 }) : squareAvg;
  const scaled = gradient.div(variance.sqrt().add(eps));
  const momentumBuffer = input.momentumBuffer && input.momentumBuffer.mul(keptBy(momentum)).add(scaled);
  return { parameter: parameter.sub((momentumBuffer ?? scaled).mul(lr)), squareAvg, momentumBuffer, gradAvg };
}
