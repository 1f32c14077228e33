/** NAdam: Adam with Nesterov's momentum (Dozat, 2016), in PyTorch's form. */
import type { Operand } from "../../../compute/tensor/operands.ts";
import type { Tensor } from "../../../compute/tensor/tensor.ts";
import { averaged, withDecay } from "./rule.ts";
import type { Decay, RuleInput } from "./rule.ts";

export interface NadamRuleOptions {
  readonly betas: readonly [Decay, Decay];
  readonly eps: number;
  readonly weightDecay: Operand;
  /** p (1 - lr decay) in place of g += decay p. */
  readonly decoupledWeightDecay: boolean;
}

/** Averages of the gradient and its square that NAdam keeps, in the parameter's shape. */
export interface NadamState {
  readonly expAvg: Tensor;
  readonly expAvgSq: Tensor;
  /** The product of the momenta so far, of shape []; 1 before the first step. */
  readonly muProduct: Tensor;
}

/** Of shape [] each: this step's momentum mu, the next one's, and 1 - b2^step. */
export interface NadamFactors {
  readonly mu: Tensor;
  readonly nextMu: Tensor;
  readonly correction: Tensor;
}

/**
 * g += decay p; m' and v' as Adam's; P' = P mu; d = sqrt(v' / c2) + eps;
 * p' = p - lr (1 - mu) / (1 - P') g / d - lr mu+ / (1 - P' mu+) m' / d.
 */
export function nadamUpdate(
  input: RuleInput & NadamState & NadamFactors,
  { betas: [beta1, beta2], eps, weightDecay, decoupledWeightDecay }: NadamRuleOptions,
): NadamState & { readonly parameter: Tensor } {
  const { lr, mu, nextMu, correction } = input;
  const { parameter, gradient } = withDecay(input, weightDecay, decoupledWeightDecay);
  const expAvg = averaged(input.expAvg, gradient, beta1);
  const expAvgSq = averaged(input.expAvgSq, gradient.square(), beta2);
  const muProduct = input.muProduct.mul(mu);
  const root = expAvgSq.div(correction).sqrt().add(eps);
  const ofGradient = mu.neg().add(1).div(muProduct.neg().add(1)).mul(lr);
  const ofAverage = nextMu.div(muProduct.mul(nextMu).neg().add(1)).mul(lr);
  const step = gradient.mul(ofGradient).add(expAvg.mul(ofAverage)).div(root);
  return { parameter: parameter.sub(step), expAvg, expAvgSq, muProduct };
}
