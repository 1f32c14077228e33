import type { Shape } from "../../compute/compiler/ir.ts";
import { rmsNorm } from "../../compute/tensor/ops/rms-norm.ts";
import type { Tensor } from "../../compute/tensor/tensor.ts";
import { constantValues } from "./init.ts";
import { Module } from "./module.ts";
import { Parameter } from "./parameter.ts";

/** Options of `RMSNorm`. */
export interface RMSNormOptions {
  /** Added to the mean square; null (the default): 2^-23. */
  readonly eps?: number | null;
  /** Has `weight`. On by default. */
  readonly elementwiseAffine?: boolean;
}

/**
 * Divides by the root of the mean square over the last axes, of `normalizedShape` (a number: one axis), then scales by
 * `weight` of that shape (at first 1): [.., ...normalizedShape] -> the same.
 */
export class RMSNorm extends Module {
  readonly weight: Parameter | null;
  readonly normalizedShape: Shape;
  readonly eps: number | null;

  constructor(normalizedShape: number | Shape, { eps = null, elementwiseAffine = true }: RMSNormOptions = {}) {
    super();
    const shape = typeof normalizedShape === "number" ? [normalizedShape] : normalizedShape;
    this.weight = elementwiseAffine ? new Parameter(constantValues(shape, 1)) : null;
    this.normalizedShape = shape;
    this.eps = eps;
  }

  forward(x: Tensor): Tensor {
    return rmsNorm(x, this.normalizedShape, this.weight, this.eps);
  }
}
