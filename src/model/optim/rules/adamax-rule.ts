/** Adamax (Kingma & Ba, 2015, section 7.1). */
import type { Operand } from "../../../compute/tensor/operands.ts";
import type { Tensor } from "../../../compute/tensor/tensor.ts";
import { averaged, decayed, keptBy } from "./rule.ts";
import type { Decay, RuleInput } from "./rule.ts";

export interface AdamaxRuleOptions {
  readonly betas: readonly [Decay, Decay];
  readonly eps: number;
  readonly weightDecay: Operand;
}

/** What Adamax keeps, in the parameter's shape. */
export interface AdamaxState {
  readonly expAvg: Tensor;
  /** The largest gradient so far, decaying. */
  readonly expInf: Tensor;
}

/** g += decay p; m' = b1 m + (1 - b1) g; u' = max(b2 u, |g| + eps); p' = p - lr / c1 m' / u', with c1 = 1 - b1^step. */
export function adamaxUpdate(
  input: RuleInput & AdamaxState & { readonly correction: Tensor },
  { betas: [beta1, beta2], eps, weightDecay }: AdamaxRuleOptions,
): AdamaxState & { readonly parameter: Tensor } {
  const { parameter, lr, correction } = input;
  const gradient = decayed(parameter, input.gradient, weightDecay);
  const expAvg = averaged(input.expAvg, gradient, beta1);
  const expInf = input.expInf.mul(keptBy(beta2)).maximum(gradient.abs().add(eps));
  return { parameter: parameter.sub(expAvg.mul(lr).div(expInf.mul(correction))), expAvg, expInf };
}
