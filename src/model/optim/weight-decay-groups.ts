/** Which parameters decay: matrices do, biases, norms' scales and other vectors do not. */
import type { Tensor } from "../../compute/tensor/tensor.ts";
import { Embedding } from "../nn/embedding.ts";
import type { Module } from "../nn/module.ts";
import type { GroupInput } from "./optimizer.ts";

/** Options of `weightDecayGroups`. */
export interface WeightDecayGroupsOptions {
  /** Let embeddings' tables decay too. On by default. */
  readonly embeddings?: boolean;
}

/** One group with `weightDecay`, one with 0 for parameters of fewer than two axes; either only if it has parameters. */
export function weightDecayGroups(
  model: Module,
  weightDecay: number,
  { embeddings = true }: WeightDecayGroupsOptions = {},
): GroupInput<{ readonly weightDecay: number }>[] {
  const tables = new Set<Tensor>(embeddings ? [] : model.modules().flatMap((module) => module instanceof Embedding ? [module.weight] : [])); // prettier-ignore
  const decays = (parameter: Tensor): boolean => parameter.shape.length >= 2 && !tables.has(parameter);
  const parameters = model.parameters();
  return [
    { params: parameters.filter(decays), weightDecay },
    { params: parameters.filter((parameter) => !decays(parameter)), weightDecay: 0 },
  ].filter(({ params }) => params.length > 0);
}
