/** Patches of images as columns, and back. */
import type { PerAxis } from "../../compute/tensor/ops/spatial.ts";
import { fold, unfold } from "../../compute/tensor/ops/unfold.ts";
import type { UnfoldOptions } from "../../compute/tensor/ops/unfold.ts";
import type { Tensor } from "../../compute/tensor/tensor.ts";
import { Module } from "./module.ts";

/** The patches under a sliding kernel: [B, C, H, W] -> [B, C * kh * kw, patches]. */
export class Unfold extends Module {
  readonly kernelSize: PerAxis;
  readonly options: UnfoldOptions;

  constructor(kernelSize: PerAxis, options: UnfoldOptions = {}) {
    super();
    this.kernelSize = kernelSize;
    this.options = options;
  }

  forward(x: Tensor): Tensor {
    return unfold(x, this.kernelSize, this.options);
  }
}

/** Patches added to where they are taken from: [B, C * kh * kw, patches] -> [B, C, ...outputSize]. */
export class Fold extends Module {
  readonly outputSize: PerAxis;
  readonly kernelSize: PerAxis;
  readonly options: UnfoldOptions;

  constructor(outputSize: PerAxis, kernelSize: PerAxis, options: UnfoldOptions = {}) {
    super();
    this.outputSize = outputSize;
    this.kernelSize = kernelSize;
    this.options = options;
  }

  forward(x: Tensor): Tensor {
    return fold(x, this.outputSize, this.kernelSize, this.options);
  }
}
