/** Lion: sign of an average (Chen et al., "Symbolic Discovery of Optimization Algorithms", 2023, algorithm 2). */
import type { Operand } from "../../../compute/tensor/operands.ts";
import type { Tensor } from "../../../compute/tensor/tensor.ts";
import { averaged, shrunk } from "./rule.ts";
import type { Decay, RuleInput } from "./rule.ts";

export interface LionRuleOptions {
  readonly betas: readonly [Decay, Decay];
  readonly weightDecay: Operand;
}

/** The average of gradients that Lion keeps, in the parameter's shape. */
export interface LionState {
  readonly expAvg: Tensor;
}

/** p' = p - lr decay p - lr sign(b1 m + (1 - b1) g); m' = b2 m + (1 - b2) g. */
export function lionUpdate(
  { parameter, gradient, lr, expAvg }: RuleInput & LionState,
  { betas: [beta1, beta2], weightDecay }: LionRuleOptions,
): LionState & { readonly parameter: Tensor } {
  const direction = averaged(expAvg, gradient, beta1).sign();
  return {
    parameter: shrunk(parameter, lr, weightDecay).sub(direction.mul(lr)),
    expAvg: averaged(expAvg, gradient, beta2),
  };
}
