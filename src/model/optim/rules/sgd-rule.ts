/** Stochastic gradient descent with momentum. */
import type { Operand } from "../../../compute/tensor/operands.ts";
import type { Tensor } from "../../../compute/tensor/tensor.ts";
import { decayed, keptBy } from "./rule.ts";
import type { Decay, RuleInput } from "./rule.ts";

/** Options of `sgdUpdate`. */
export interface SgdRuleOptions {
  readonly momentum?: Decay;
  /** Times the parameter, added to the gradient. */
  readonly weightDecay?: Operand;
  readonly nesterov?: boolean;
}

/** The momentum that SGD keeps, in the parameter's shape. */
export interface SgdState {
  /** Zeros before the first step; null without momentum. */
  readonly momentumBuffer: Tensor | null;
}

export interface SgdInput extends RuleInput, SgdState {
  /** [] or [1]: what the gradient counts in the buffer, 1 in the first step and 1 - dampening later; 1 when left out. */
  readonly gradientShare?: Tensor;
}

/** The parameter and the momentum after a step. */
export interface SgdResult extends SgdState {
  readonly parameter: Tensor;
}

/** g += decay p; b' = momentum b + share g; p' = p - lr (b', or g + momentum b' if nesterov, or g without momentum). */
export function sgdUpdate(input: SgdInput, options: SgdRuleOptions = {}): SgdResult {
  const { parameter, momentumBuffer, lr, gradientShare } = input;
  const { momentum = 0, weightDecay = 0, nesterov = false } = options;
  const gradient = decayed(parameter, input.gradient, weightDecay);
  if (momentumBuffer === null) return { parameter: parameter.sub(gradient.mul(lr)), momentumBuffer };
  const next = momentumBuffer.mul(keptBy(momentum)).add(gradientShare ? gradient.mul(gradientShare) : gradient);
  const direction = nesterov ? gradient.add(next.mul(keptBy(momentum))) : next;
  return { parameter: parameter.sub(direction.mul(lr)), momentumBuffer: next };
}
