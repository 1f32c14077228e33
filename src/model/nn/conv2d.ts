import { conv2d } from "../../compute/tensor/ops/conv2d.ts";
import type { Conv2dOptions } from "../../compute/tensor/ops/conv2d.ts";
import { bothOf } from "../../compute/tensor/ops/patches.ts";
import type { Pair } from "../../compute/tensor/ops/patches.ts";
import type { Tensor } from "../../compute/tensor/tensor.ts";
import { uniformValues } from "./init.ts";
import { Module } from "./module.ts";
import { Parameter } from "./parameter.ts";

export interface Conv2dLayerOptions extends Conv2dOptions {
  readonly bias?: boolean;
}

/** [B, in, H, W] -> [B, out, OH, OW], with `weight` [out, in / groups, kh, kw]. Both start uniform in +-1 / sqrt(fan in). */
export class Conv2d extends Module {
  readonly weight: Parameter;
  readonly bias: Parameter | null;
  readonly options: Conv2dOptions;

  constructor(inputs: number, outputs: number, kernelSize: Pair, { bias = true, ...options }: Conv2dLayerOptions = {}) {
    super();
    const [height, width] = bothOf(kernelSize);
    const inner = inputs / (options.groups ?? 1);
    const bound = 1 / Math.sqrt(inner * height * width);
    this.weight = new Parameter(uniformValues("Conv2d", [outputs, inner, height, width], bound));
    this.bias = bias ? new Parameter(uniformValues("Conv2d", [outputs], bound)) : null;
    this.options = options;
  }

  forward(x: Tensor): Tensor {
    return conv2d(x, this.weight, this.bias, this.options);
  }
}
