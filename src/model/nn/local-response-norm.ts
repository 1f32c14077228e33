import { localResponseNorm } from "../../compute/tensor/ops/local-response-norm.ts";
import type { LocalResponseNormOptions } from "../../compute/tensor/ops/local-response-norm.ts";
import type { Tensor } from "../../compute/tensor/tensor.ts";
import { Module } from "./module.ts";

/** Divides by a power of the mean square of `size` neighbouring channels: [B, C, ...] -> the same. */
export class LocalResponseNorm extends Module {
  readonly size: number;
  readonly options: LocalResponseNormOptions;

  constructor(size: number, options: LocalResponseNormOptions = {}) {
    super();
    this.size = size;
    this.options = options;
  }

  forward(x: Tensor): Tensor {
    return localResponseNorm(x, this.size, this.options);
  }
}
