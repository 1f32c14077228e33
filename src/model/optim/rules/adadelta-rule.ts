/** Adadelta (Zeiler, 2012). */
import type { Operand } from "../../../compute/tensor/operands.ts";
import type { Tensor } from "../../../compute/tensor/tensor.ts";
import { averaged, decayed } from "./rule.ts";
import type { RuleInput } from "./rule.ts";

export interface AdadeltaRuleOptions {
  readonly rho: number;
  readonly eps: number;
  readonly weightDecay: Operand;
}

/** Averages that Adadelta keeps, in the parameter's shape. */
export interface AdadeltaState {
  /** Of squared gradients. */
  readonly squareAvg: Tensor;
  /** Of squared updates. */
  readonly accDelta: Tensor;
}

/** g += decay p; v' = r v + (1 - r) g^2; d = g sqrt(u + eps) / sqrt(v' + eps); u' = r u + (1 - r) d^2; p' = p - lr d. */
export function adadeltaUpdate(
  input: RuleInput & AdadeltaState,
  { rho, eps, weightDecay }: AdadeltaRuleOptions,
): AdadeltaState & { readonly parameter: Tensor } {
  const { parameter, lr } = input;
  const gradient = decayed(parameter, input.gradient, weightDecay);
  const squareAvg = averaged(input.squareAvg, gradient.square(), rho);
  const delta = input.accDelta.add(eps).sqrt().div(squareAvg.add(eps).sqrt()).mul(gradient);
  return {
    parameter: parameter.sub(delta.mul(lr)),
    squareAvg,
    accDelta: averaged(input.accDelta, delta.square(), rho),
  };
}
