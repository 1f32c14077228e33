/**
 * What update rules share. A rule is a function from tensors to tensors, for whole parameters and for flat shards
 * alike; results are PyTorch's. What changes from step to step comes as small tensors, so that a compiled step can be
 * replayed; what never changes may come as plain numbers.
 */
import type { Operand } from "../../../compute/tensor/operands.ts";
import type { Tensor } from "../../../compute/tensor/tensor.ts";

/** What a step updates. */
export interface RuleInput {
  readonly parameter: Tensor;
  readonly gradient: Tensor;
  /** A number, or a tensor of one element. */
  readonly lr: Operand;
}

/** A moving average's decay: a number, or data ([] each): the decay b, 1 - b and ln b, since float32 has no exact 1 - b. */
export type Decay = number | { readonly keep: Tensor; readonly rest: Tensor; readonly log: Tensor };

/** b average + (1 - b) value. */
export function averaged(average: Tensor, value: Tensor, decay: Decay): Tensor {
  return average.mul(keptBy(decay)).add(value.mul(renewedBy(decay)));
}

/** b */
export function keptBy(decay: Decay): Operand {
  return typeof decay === "number" ? decay : decay.keep;
}

/** 1 - b, as exact as its dtype can have it. */
function renewedBy(decay: Decay): Operand {
  return typeof decay === "number" ? 1 - decay : decay.rest;
}

/** ln b; finite for b = 0. */
function logOf(decay: Decay): Operand {
  return typeof decay === "number" ? finiteLog(decay) : decay.log;
}

/** ln b; for b = 0 what is as good: e^(-10000 n) is 0 for n from 1. */
export function finiteLog(decay: number): number {
  return Math.max(Math.log(decay), -1e4);
}

/** g + decay p: weight decay as a part of the gradient. */
export function decayed(parameter: Tensor, gradient: Tensor, weightDecay: Operand): Tensor {
  return weightDecay === 0 ? gradient : gradient.add(parameter.mul(weightDecay));
}

/** p (1 - lr decay): weight decay apart from the gradient. */
export function shrunk(parameter: Tensor, lr: Operand, weightDecay: Operand): Tensor {
  if (weightDecay === 0) return parameter;
  if (typeof lr !== "number") return parameter.mul(lr.mul(weightDecay).neg().add(1));
  return parameter.mul(typeof weightDecay === "number" ? 1 - lr * weightDecay : weightDecay.mul(-lr).add(1));
}

/** `decayed` or, apart from the gradient, `shrunk`: the parameter and the gradient to go on with. */
export function withDecay(
  { parameter, gradient, lr }: RuleInput,
  weightDecay: Operand,
  isDecoupled: boolean,
): { readonly parameter: Tensor; readonly gradient: Tensor } {
  if (isDecoupled) return { parameter: shrunk(parameter, lr, weightDecay), gradient };
  return { parameter, gradient: decayed(parameter, gradient, weightDecay) };
}

/**
 * 1 - b^n for each of the counts `steps`, without cancellation: with t = tanh(-n ln(b) / 2) it is 2 t / (1 + t).
 */
export function biasCorrection(steps: Tensor, decay: Decay): Tensor {
  const t = steps.mul(logOf(decay)).mul(-0.5).tanh();
  return t.mul(2).div(t.add(1));
}
