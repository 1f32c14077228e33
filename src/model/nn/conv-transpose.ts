/** Transposed convolutions. */
import { convTranspose1d, convTranspose2d, convTranspose3d } from "../../compute/tensor/ops/conv-transpose.ts";
import type { ConvTransposeOptions } from "../../compute/tensor/ops/conv-transpose.ts";
import { perAxis } from "../../compute/tensor/ops/spatial.ts";
import type { PerAxis } from "../../compute/tensor/ops/spatial.ts";
import type { Tensor } from "../../compute/tensor/tensor.ts";
import { checkedGroups } from "./conv.ts";
import { uniformValues } from "./init.ts";
import { Module } from "./module.ts";
import { Parameter } from "./parameter.ts";

/** Options of layers of transposed convolution. */
export interface ConvTransposeLayerOptions extends ConvTransposeOptions {
  readonly bias?: boolean;
}

type Convolution = typeof convTranspose2d;

/** `weight` [in, out / groups, ...kernel] and `bias` [out] start uniform in +-1 / sqrt(out / groups * kernel's elements). */
abstract class ConvTranspose extends Module {
  readonly weight: Parameter;
  readonly bias: Parameter | null;
  readonly options: ConvTransposeOptions;
  readonly #apply: Convolution;

  protected constructor(
    rank: number,
    apply: Convolution,
    inputs: number,
    outputs: number,
    kernelSize: PerAxis,
    { bias = true, ...options }: ConvTransposeLayerOptions,
  ) {
    super();
    const name = this.constructor.name;
    const kernel = perAxis(name, "kernelSize", kernelSize, rank, 1);
    const inner = checkedGroups(name, outputs, inputs, options.groups ?? 1);
    const bound = 1 / Math.sqrt(kernel.reduce((count, size) => count * size, inner));
    this.weight = new Parameter(uniformValues([inputs, inner, ...kernel], bound));
    this.bias = bias ? new Parameter(uniformValues([outputs], bound)) : null;
    this.options = options;
    this.#apply = apply;
  }

  forward(x: Tensor): Tensor {
    return this.#apply(x, this.weight, this.bias, this.options);
  }
}

/** [B, in, L] -> [B, out, OL], with `weight` [in, out / groups, k]. */
export class ConvTranspose1d extends ConvTranspose {
  constructor(inputs: number, outputs: number, kernelSize: PerAxis, options: ConvTransposeLayerOptions = {}) {
    super(1, convTranspose1d, inputs, outputs, kernelSize, options);
  }
}

/** [B, in, H, W] -> [B, out, OH, OW], with `weight` [in, out / groups, kh, kw]. */
export class ConvTranspose2d extends ConvTranspose {
  constructor(inputs: number, outputs: number, kernelSize: PerAxis, options: ConvTransposeLayerOptions = {}) {
    super(2, convTranspose2d, inputs, outputs, kernelSize, options);
  }
}

/** [B, in, D, H, W] -> [B, out, OD, OH, OW], with `weight` [in, out / groups, kd, kh, kw]. */
export class ConvTranspose3d extends ConvTranspose {
  constructor(inputs: number, outputs: number, kernelSize: PerAxis, options: ConvTransposeLayerOptions = {}) {
    super(3, convTranspose3d, inputs, outputs, kernelSize, options);
  }
}
