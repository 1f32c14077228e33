/** Adam (Kingma & Ba, 2015), AdamW (Loshchilov & Hutter, 2019) and AMSGrad (Reddi et al., 2018). */
import type { Operand } from "../../../compute/tensor/operands.ts";
import type { Tensor } from "../../../compute/tensor/tensor.ts";
import { averaged, decayed, finiteLog, shrunk } from "./rule.ts";
import type { Decay, RuleInput } from "./rule.ts";

/** Options of `adamUpdate` and `adamwUpdate`. */
export interface AdamRuleOptions {
  readonly betas?: readonly [Decay, Decay];
  readonly eps?: number;
  /** For Adam: times the parameter, added to the gradient. For AdamW: times lr and the parameter, taken from it. */
  readonly weightDecay?: Operand;
}

export const ADAM_BETAS: readonly [number, number] = [0.9, 0.999];
const ADAM_EPS = 1e-8;
const ADAMW_WEIGHT_DECAY = 0.01;

/** Averages that Adam keeps, in the parameter's shape. */
export interface AdamState {
  /** Of the gradient; zeros before the first step. */
  readonly expAvg: Tensor;
  /** Of the gradient's square; zeros before the first step. */
  readonly expAvgSq: Tensor;
  /** The largest `expAvgSq` so far (AMSGrad); null or left out without. */
  readonly maxExpAvgSq?: Tensor | null;
}

export interface AdamInput extends RuleInput, AdamState {
  /** [2]: `biasCorrections` of this step, the first being step 1. */
  readonly corrections: Tensor;
}

/** The parameter and the averages after a step. */
export interface AdamResult extends AdamState {
  readonly parameter: Tensor;
}

/** [1 - beta1^step, 1 - beta2^step], without the cancellation that float32 would suffer. */
export function biasCorrections(
  step: number,
  betas: readonly [number, number] = ADAM_BETAS,
): Float32Array<ArrayBuffer> {
  return Float32Array.from(betas, (beta) => -Math.expm1(step * finiteLog(beta)));
}

/** g += decay p; then p' = p - lr direction(g). */
export function adamUpdate(input: AdamInput, options: AdamRuleOptions = {}): AdamResult {
  const { parameter, lr } = input;
  const gradient = decayed(parameter, input.gradient, options.weightDecay ?? 0);
  const { direction, ...moments } = adamDirection(input, gradient, options);
  return { parameter: parameter.sub(direction.mul(lr)), ...moments };
}

/** p' = p - lr decay p - lr direction(g). */
export function adamwUpdate(input: AdamInput, options: AdamRuleOptions = {}): AdamResult {
  const { parameter, gradient, lr } = input;
  const { direction, ...moments } = adamDirection(input, gradient, options);
  const kept = shrunk(parameter, lr, options.weightDecay ?? ADAMW_WEIGHT_DECAY);
  return { parameter: kept.sub(direction.mul(lr)), ...moments };
}

/** m' = b1 m + (1 - b1) g; v' = b2 v + (1 - b2) g^2; direction = (m' / c1) / (sqrt(v' / c2) + eps). */
function adamDirection(
  input: AdamInput,
  gradient: Tensor,
  { betas: [beta1, beta2] = ADAM_BETAS, eps = ADAM_EPS }: AdamRuleOptions,
): Required<AdamState> & { readonly direction: Tensor } {
  const expAvg = averaged(input.expAvg, gradient, beta1);
  const expAvgSq = averaged(input.expAvgSq, gradient.square(), beta2);
  const maxExpAvgSq = input.maxExpAvgSq?.maximum(expAvgSq) ?? null;
  const root = (maxExpAvgSq ?? expAvgSq).div(input.corrections.select(0, 1)).sqrt();
  const direction = expAvg.div(input.corrections.select(0, 0)).div(root.add(eps));
  return { direction, expAvg, expAvgSq, maxExpAvgSq };
}
