/** Adagrad (Duchi, Hazan & Singer, 2011). */
import type { Operand } from "../../../compute/tensor/operands.ts";
import type { Tensor } from "../../../compute/tensor/tensor.ts";
import { decayed } from "./rule.ts";
import type { RuleInput } from "./rule.ts";

export interface AdagradRuleOptions {
  readonly eps: number;
  readonly weightDecay: Operand;
}

/** The sum that Adagrad keeps, in the parameter's shape. */
export interface AdagradState {
  /** Of squared gradients. */
  readonly sum: Tensor;
}

/** g += decay p; s' = s + g^2; p' = p - lr g / (sqrt(s') + eps). `lr` has decayed already. */
export function adagradUpdate(
  input: RuleInput & AdagradState,
  { eps, weightDecay }: AdagradRuleOptions,
): AdagradState & { readonly parameter: Tensor } {
  const { parameter, lr } = input;
  const gradient = decayed(parameter, input.gradient, weightDecay);
  const sum = input.sum.add(gradient.square());
  return { parameter: parameter.sub(gradient.mul(lr).div(sum.sqrt().add(eps))), sum };
}
