/** RAdam: Adam whose second moment waits until it is known well enough (Liu et al., 2020). */
import type { Operand } from "../../../compute/tensor/operands.ts";
import { where } from "../../../compute/tensor/ops/where.ts";
import type { Tensor } from "../../../compute/tensor/tensor.ts";
import { averaged, withDecay } from "./rule.ts";
import type { Decay, RuleInput } from "./rule.ts";

export interface RadamRuleOptions {
  readonly betas: readonly [Decay, Decay];
  readonly eps: number;
  readonly weightDecay: Operand;
  /** p (1 - lr decay) in place of g += decay p. */
  readonly decoupledWeightDecay: boolean;
}

/** Averages of the gradient and its square that RAdam keeps, in the parameter's shape. */
export interface RadamState {
  readonly expAvg: Tensor;
  readonly expAvgSq: Tensor;
}

/** Of shape [] each: `correction` is 1 - b1^step; `rectifier` is r sqrt(1 - b2^step), or 0 while the variance is not tractable. */
export interface RadamFactors {
  readonly correction: Tensor;
  readonly rectifier: Tensor;
}

/** g += decay p; m' and v' as Adam's; p' = p - lr m' / c1 (rectifier / (sqrt(v') + eps), or 1 where rectifier is 0). */
export function radamUpdate(
  input: RuleInput & RadamState & RadamFactors,
  { betas: [beta1, beta2], eps, weightDecay, decoupledWeightDecay }: RadamRuleOptions,
): RadamState & { readonly parameter: Tensor } {
  const { lr, correction, rectifier } = input;
  const { parameter, gradient } = withDecay(input, weightDecay, decoupledWeightDecay);
  const expAvg = averaged(input.expAvg, gradient, beta1);
  const expAvgSq = averaged(input.expAvgSq, gradient.square(), beta2);
  const adaptive = rectifier.div(expAvgSq.sqrt().add(eps));
  const factor = where(rectifier.gt(0), adaptive, 1);
  return { parameter: parameter.sub(expAvg.div(correction).mul(lr).mul(factor)), expAvg, expAvgSq };
}

/**
 * `rectifier` for the counts `steps`, with rho_inf = 2 / (1 - b2) - 1 and rho = rho_inf - 2 n b2^n / (1 - b2^n):
 * r = sqrt((rho - 4)(rho - 2) rho_inf / ((rho_inf - 4)(rho_inf - 2) rho)) where rho > 5.
 *
 * rho loses all digits to cancellation when computed so. With a = -ln b2 it is rho_inf - 2 / a + n (1 - L(a n / 2)),
 * where L(y) = coth(y) - 1 / y is Langevin's function; the first difference is taken in float64.
 */
export function radamRectifier(steps: Tensor, beta2: number, correction: Tensor): Tensor {
  const rhoInf = 2 / (1 - beta2) - 1;
  const a = -Math.log(beta2);
  const rho = steps.mul(langevin(steps.mul(a / 2)).neg().add(1)).add(rhoInf - 2 / a); // prettier-ignore
  const isTractable = rho.gt(5);
  const safe = where(isTractable, rho, 6);
  const squared = safe.sub(4).mul(safe.sub(2)).div(safe).mul(rhoInf / ((rhoInf - 4) * (rhoInf - 2))); // prettier-ignore
  return where(isTractable, squared.mul(correction).sqrt(), 0);
}

/** coth(y) - 1 / y for y > 0: below 1/2 its series, whose next term is under 2e-9 of it. */
function langevin(y: Tensor): Tensor {
  const small = y.minimum(0.5);
  const square = small.square();
  const series = [2 / 93_555, -1 / 4_725, 2 / 945, -1 / 45, 1 / 3].reduce((sum, term) => sum.mul(square).add(term), square.mul(-1382 / 638_512_875)); // prettier-ignore
  const large = y.maximum(0.5);
  return where(y.lt(0.5), series.mul(small), large.tanh().reciprocal().sub(large.reciprocal()));
}
