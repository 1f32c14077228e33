import type { Shape } from "../../compute/compiler/ir.ts";
import { layerNorm } from "../../compute/tensor/ops/layer-norm.ts";
import type { Tensor } from "../../compute/tensor/tensor.ts";
import { constantValues } from "./init.ts";
import { Module } from "./module.ts";
import { Parameter } from "./parameter.ts";

/** Options of `LayerNorm`. */
export interface LayerNormOptions {
  /** Added to the variance. */
  readonly eps?: number;
  /** Has `weight` and `bias`. On by default. */
  readonly elementwiseAffine?: boolean;
  /** Without it only `weight`. On by default. */
  readonly bias?: boolean;
}

/**
 * Normalises the last axes, of `normalizedShape` (a number: one axis), then scales by `weight` (at first 1) and shifts
 * by `bias` (at first 0), both of that shape: [.., ...normalizedShape] -> the same.
 */
export class LayerNorm extends Module {
  readonly weight: Parameter | null;
  readonly bias: Parameter | null;
  readonly normalizedShape: Shape;
  readonly eps: number;

  constructor(
    normalizedShape: number | Shape,
    { eps = 1e-5, elementwiseAffine = true, bias = true }: LayerNormOptions = {},
  ) {
    super();
    const shape = typeof normalizedShape === "number" ? [normalizedShape] : normalizedShape;
    this.weight = elementwiseAffine ? new Parameter(constantValues(shape, 1)) : null;
    this.bias = elementwiseAffine && bias ? new Parameter(constantValues(shape, 0)) : null;
    this.normalizedShape = shape;
    this.eps = eps;
  }

  forward(x: Tensor): Tensor {
    return layerNorm(x, this.normalizedShape, this.weight, this.bias, this.eps);
  }
}
