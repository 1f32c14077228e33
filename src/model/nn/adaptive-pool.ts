/** Pooling layers with a result of given size. */
import {
  adaptiveAvgPool1d,
  adaptiveAvgPool2d,
  adaptiveAvgPool3d,
  adaptiveMaxPool1d,
  adaptiveMaxPool2d,
  adaptiveMaxPool3d,
} from "../../compute/tensor/ops/adaptive-pool.ts";
import type { OutputSize } from "../../compute/tensor/ops/adaptive-pool.ts";
import type { Tensor } from "../../compute/tensor/tensor.ts";
import { Module } from "./module.ts";

/** Means of `outputSize` nearly equal parts along each axis: [B, C, L] -> [B, C, outputSize]. */
export class AdaptiveAvgPool1d extends Module {
  readonly outputSize: OutputSize;

  constructor(outputSize: OutputSize) {
    super();
    this.outputSize = outputSize;
  }

  forward(x: Tensor): Tensor {
    return adaptiveAvgPool1d(x, this.outputSize);
  }
}

/** Means of `outputSize` nearly equal parts along each axis: [B, C, H, W] -> [B, C, ...outputSize]. */
export class AdaptiveAvgPool2d extends Module {
  readonly outputSize: OutputSize;

  constructor(outputSize: OutputSize) {
    super();
    this.outputSize = outputSize;
  }

  forward(x: Tensor): Tensor {
    return adaptiveAvgPool2d(x, this.outputSize);
  }
}

/** Means of `outputSize` nearly equal parts along each axis: [B, C, D, H, W] -> [B, C, ...outputSize]. */
export class AdaptiveAvgPool3d extends Module {
  readonly outputSize: OutputSize;

  constructor(outputSize: OutputSize) {
    super();
    this.outputSize = outputSize;
  }

  forward(x: Tensor): Tensor {
    return adaptiveAvgPool3d(x, this.outputSize);
  }
}

/** The largest elements of `outputSize` nearly equal parts along each axis: [B, C, L] -> [B, C, outputSize]. */
export class AdaptiveMaxPool1d extends Module {
  readonly outputSize: OutputSize;

  constructor(outputSize: OutputSize) {
    super();
    this.outputSize = outputSize;
  }

  forward(x: Tensor): Tensor {
    return adaptiveMaxPool1d(x, this.outputSize);
  }
}

/** The largest elements of `outputSize` nearly equal parts along each axis: [B, C, H, W] -> [B, C, ...outputSize]. */
export class AdaptiveMaxPool2d extends Module {
  readonly outputSize: OutputSize;

  constructor(outputSize: OutputSize) {
    super();
    this.outputSize = outputSize;
  }

  forward(x: Tensor): Tensor {
    return adaptiveMaxPool2d(x, this.outputSize);
  }
}

/** The largest elements of `outputSize` nearly equal parts along each axis: [B, C, D, H, W] -> [B, C, ...outputSize]. */
export class AdaptiveMaxPool3d extends Module {
  readonly outputSize: OutputSize;

  constructor(outputSize: OutputSize) {
    super();
    this.outputSize = outputSize;
  }

  forward(x: Tensor): Tensor {
    return adaptiveMaxPool3d(x, this.outputSize);
  }
}
