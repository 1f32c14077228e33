import { linear } from "../../compute/tensor/ops/linear.ts";
import type { Tensor } from "../../compute/tensor/tensor.ts";
import { uniformValues } from "./init.ts";
import { Module } from "./module.ts";
import { Parameter } from "./parameter.ts";

/** Options of `Linear` and `Bilinear`. */
export interface LinearOptions {
  readonly bias?: boolean;
}

/** x W^T + b: [.., in] -> [.., out], with `weight` [out, in]. Both start uniform in +-1 / sqrt(in). */
export class Linear extends Module {
  weight: Parameter;
  readonly bias: Parameter | null;

  constructor(inputs: number, outputs: number, { bias = true }: LinearOptions = {}) {
    super();
    const bound = 1 / Math.sqrt(inputs);
    this.weight = new Parameter(uniformValues([outputs, inputs], bound));
    this.bias = bias ? new Parameter(uniformValues([outputs], bound)) : null;
  }

  forward(x: Tensor): Tensor {
    return linear(x, this.weight, this.bias);
  }
}
