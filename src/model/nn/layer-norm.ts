import { layerNorm } from "../../compute/tensor/ops/layer-norm.ts";
import type { Tensor } from "../../compute/tensor/tensor.ts";
import { constantValues } from "./init.ts";
import { Module } from "./module.ts";
import { Parameter } from "./parameter.ts";

export interface LayerNormOptions {
  /** Added to the variance. */
  readonly eps?: number;
}

/** Normalises the last axis, of `width`, then scales by `weight` (at first 1) and shifts by `bias` (at first 0). */
export class LayerNorm extends Module {
  readonly weight: Parameter;
  readonly bias: Parameter;
  readonly eps: number;

  constructor(width: number, { eps = 1e-5 }: LayerNormOptions = {}) {
    super();
    this.weight = new Parameter(constantValues([width], 1));
    this.bias = new Parameter(constantValues([width], 0));
    this.eps = eps;
  }

  forward(x: Tensor): Tensor {
    return layerNorm(x, this.weight, this.bias, this.eps);
  }
}
