import { OptionError } from "../../base/errors.ts";
import { noGrad } from "../../compute/tensor/grad-mode.ts";
import { weightNorm as weightNormOf, weightNormAxes } from "../../compute/tensor/ops/weight-norm.ts";
import type { Module } from "./module.ts";
import { Parameter } from "./parameter.ts";

/**
 * Replaces the parameter `name` of `module` by `name_g` (its lengths) and `name_v` (its directions), as PyTorch's
 * `nn.utils.weight_norm`; the module computes w = g * v / |v| from them whenever it reads `name`. The norm is over all
 * axes but `axis` (null: over all). Gives `module`. @throws OptionError
 */
export function weightNorm<M extends Module>(module: M, name = "weight", axis: number | null = 0): M {
  const weight: unknown = Reflect.get(module, name);
  if (!(weight instanceof Parameter)) {
    throw new OptionError(`weightNorm: expected a parameter "${name}" of ${module.constructor.name}, found none`);
  }
  const length = noGrad(() => weight.square().sum(weightNormAxes(weight, axis), { keepDim: true }).sqrt());
  const g = new Parameter(length);
  const v = new Parameter(weight);
  Reflect.deleteProperty(module, name);
  Object.assign(module, { [`${name}_g`]: g, [`${name}_v`]: v });
  // No field of its own: the module's state has g and v in its place.
  Object.defineProperty(module, name, { get: () => weightNormOf(v, g, axis), enumerable: false, configurable: true });
  return module;
}
