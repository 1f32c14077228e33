/**
 * The arithmetic of optimizers: elementwise functions from tensors to tensors, for whole parameters and for flat shards
 * alike. What changes from step to step (learning rate, bias corrections) comes as small tensors, so that a compiled
 * step can be replayed. Results are PyTorch's.
 */
import type { Tensor } from "../../compute/tensor/tensor.ts";

export interface SgdOptions {
  readonly momentum?: number;
  readonly dampening?: number;
  /** Times the parameter, added to the gradient. */
  readonly weightDecay?: number;
  readonly nesterov?: boolean;
}

export interface SgdState {
  readonly parameter: Tensor;
  readonly gradient: Tensor;
  /** Zeros before the first step; null without momentum. */
  readonly velocity: Tensor | null;
  /** [1] */
  readonly lr: Tensor;
  /** [1]: what the gradient counts in the velocity, 1 in the first step and 1 - dampening later; 1 when left out. */
  readonly gradientShare?: Tensor;
}

export interface SgdResult {
  readonly parameter: Tensor;
  readonly velocity: Tensor | null;
}

/** g += decay p; v' = momentum v + share g; p' = p - lr (v', or g + momentum v' if nesterov, or g without momentum). */
export function sgdUpdate(state: SgdState, options: SgdOptions = {}): SgdResult {
  const { parameter, velocity, lr, gradientShare } = state;
  const { momentum = 0, weightDecay = 0, nesterov = false } = options;
  const gradient = decayed(state, weightDecay);
  if (velocity === null) return { parameter: parameter.sub(gradient.mul(lr)), velocity };
  const next = velocity.mul(momentum).add(gradientShare ? gradient.mul(gradientShare) : gradient);
  const direction = nesterov ? gradient.add(next.mul(momentum)) : next;
  return { parameter: parameter.sub(direction.mul(lr)), velocity: next };
}

export interface AdamOptions {
  readonly betas?: readonly [number, number];
  readonly eps?: number;
  /** For Adam: times the parameter, added to the gradient. For AdamW: times lr and the parameter, taken from it. */
  readonly weightDecay?: number;
}

export const ADAM_BETAS: readonly [number, number] = [0.9, 0.999];
const ADAM_EPS = 1e-8;
const ADAMW_WEIGHT_DECAY = 0.01;

export interface AdamState {
  readonly parameter: Tensor;
  readonly gradient: Tensor;
  /** Zeros before the first step. */
  readonly firstMoment: Tensor;
  /** Zeros before the first step. */
  readonly secondMoment: Tensor;
  /** The largest second moment so far (AMSGrad); null without. */
  readonly secondMomentMax?: Tensor | null;
  /** [1] */
  readonly lr: Tensor;
  /** [2]: `biasCorrections` of this step, the first being step 1. */
  readonly corrections: Tensor;
}

export interface AdamResult {
  readonly parameter: Tensor;
  readonly firstMoment: Tensor;
  readonly secondMoment: Tensor;
  readonly secondMomentMax: Tensor | null;
}

/** [1 - beta1^step, 1 - beta2^step], without the cancellation that float32 would suffer. */
export function biasCorrections(
  step: number,
  betas: readonly [number, number] = ADAM_BETAS,
): Float32Array<ArrayBuffer> {
  return Float32Array.from(betas, (beta) => -Math.expm1(step * Math.log(beta)));
}

/** Adam (Kingma & Ba, 2015): g += decay p; then p' = p - lr direction(g). */
export function adamUpdate(state: AdamState, options: AdamOptions = {}): AdamResult {
  const { direction, ...moments } = adamDirection(state, decayed(state, options.weightDecay ?? 0), options);
  return { parameter: state.parameter.sub(direction.mul(state.lr)), ...moments };
}

/** AdamW (Loshchilov & Hutter, 2019): p' = p - lr decay p - lr direction(g). */
export function adamwUpdate(state: AdamState, options: AdamOptions = {}): AdamResult {
  const { direction, ...moments } = adamDirection(state, state.gradient, options);
  const { parameter, lr } = state;
  const kept = lr.mul(-(options.weightDecay ?? ADAMW_WEIGHT_DECAY)).add(1);
  return { parameter: parameter.mul(kept).sub(direction.mul(lr)), ...moments };
}

/** m' = b1 m + (1 - b1) g; v' = b2 v + (1 - b2) g^2; direction = (m' / c1) / (sqrt(v' / c2) + eps). */
function adamDirection(
  state: AdamState,
  gradient: Tensor,
  { betas: [beta1, beta2] = ADAM_BETAS, eps = ADAM_EPS }: AdamOptions,
): Omit<AdamResult, "parameter"> & { direction: Tensor } {
  const firstMoment = state.firstMoment.mul(beta1).add(gradient.mul(1 - beta1));
  const secondMoment = state.secondMoment.mul(beta2).add(gradient.square().mul(1 - beta2));
  const secondMomentMax = state.secondMomentMax?.maximum(secondMoment) ?? null;
  const root = (secondMomentMax ?? secondMoment).div(state.corrections.narrow(0, 1, 1)).sqrt();
  const direction = firstMoment.div(state.corrections.narrow(0, 0, 1)).div(root.add(eps));
  return { direction, firstMoment, secondMoment, secondMomentMax };
}

function decayed({ parameter, gradient }: { parameter: Tensor; gradient: Tensor }, weightDecay: number): Tensor {
  return weightDecay === 0 ? gradient : gradient.add(parameter.mul(weightDecay));
}
