/** Pooling layers. */
import { avgPool2d, maxPool2d } from "../../compute/tensor/ops/pool2d.ts";
import type { PoolOptions } from "../../compute/tensor/ops/pool2d.ts";
import type { Pair } from "../../compute/tensor/ops/patches.ts";
import type { Tensor } from "../../compute/tensor/tensor.ts";
import { Module } from "./module.ts";

/** The largest element of each patch. */
export class MaxPool2d extends Module {
  readonly options: PoolOptions;

  constructor(kernelSize: Pair, options: Omit<PoolOptions, "kernelSize"> = {}) {
    super();
    this.options = { ...options, kernelSize };
  }

  forward(x: Tensor): Tensor {
    return maxPool2d(x, this.options);
  }
}

/** The mean of each patch. */
export class AvgPool2d extends Module {
  readonly options: PoolOptions;

  constructor(kernelSize: Pair, options: Omit<PoolOptions, "kernelSize"> = {}) {
    super();
    this.options = { ...options, kernelSize };
  }

  forward(x: Tensor): Tensor {
    return avgPool2d(x, this.options);
  }
}
