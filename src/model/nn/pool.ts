/** Pooling layers with a kernel of given size. */
import { avgPool1d, avgPool2d, avgPool3d } from "../../compute/tensor/ops/avg-pool.ts";
import type { AvgPoolOptions } from "../../compute/tensor/ops/avg-pool.ts";
import { maxPool1d, maxPool2d, maxPool3d } from "../../compute/tensor/ops/max-pool.ts";
import type { MaxPoolOptions } from "../../compute/tensor/ops/max-pool.ts";
import type { PerAxis } from "../../compute/tensor/ops/spatial.ts";
import type { Tensor } from "../../compute/tensor/tensor.ts";
import { Module } from "./module.ts";

/** The largest element of each window: [B, C, L] -> [B, C, OL]. */
export class MaxPool1d extends Module {
  readonly options: MaxPoolOptions;

  constructor(kernelSize: PerAxis, options: Omit<MaxPoolOptions, "kernelSize"> = {}) {
    super();
    this.options = { ...options, kernelSize };
  }

  forward(x: Tensor): Tensor {
    return maxPool1d(x, this.options);
  }
}

/** The largest element of each window: [B, C, H, W] -> [B, C, OH, OW]. */
export class MaxPool2d extends Module {
  readonly options: MaxPoolOptions;

  constructor(kernelSize: PerAxis, options: Omit<MaxPoolOptions, "kernelSize"> = {}) {
    super();
    this.options = { ...options, kernelSize };
  }

  forward(x: Tensor): Tensor {
    return maxPool2d(x, this.options);
  }
}

/** The largest element of each window: [B, C, D, H, W] -> [B, C, OD, OH, OW]. */
export class MaxPool3d extends Module {
  readonly options: MaxPoolOptions;

  constructor(kernelSize: PerAxis, options: Omit<MaxPoolOptions, "kernelSize"> = {}) {
    super();
    this.options = { ...options, kernelSize };
  }

  forward(x: Tensor): Tensor {
    return maxPool3d(x, this.options);
  }
}

/** The mean of each window: [B, C, L] -> [B, C, OL]. */
export class AvgPool1d extends Module {
  readonly options: AvgPoolOptions;

  constructor(kernelSize: PerAxis, options: Omit<AvgPoolOptions, "kernelSize"> = {}) {
    super();
    this.options = { ...options, kernelSize };
  }

  forward(x: Tensor): Tensor {
    return avgPool1d(x, this.options);
  }
}

/** The mean of each window: [B, C, H, W] -> [B, C, OH, OW]. */
export class AvgPool2d extends Module {
  readonly options: AvgPoolOptions;

  constructor(kernelSize: PerAxis, options: Omit<AvgPoolOptions, "kernelSize"> = {}) {
    super();
    this.options = { ...options, kernelSize };
  }

  forward(x: Tensor): Tensor {
    return avgPool2d(x, this.options);
  }
}

/** The mean of each window: [B, C, D, H, W] -> [B, C, OD, OH, OW]. */
export class AvgPool3d extends Module {
  readonly options: AvgPoolOptions;

  constructor(kernelSize: PerAxis, options: Omit<AvgPoolOptions, "kernelSize"> = {}) {
    super();
    this.options = { ...options, kernelSize };
  }

  forward(x: Tensor): Tensor {
    return avgPool3d(x, this.options);
  }
}
