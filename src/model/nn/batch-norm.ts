/** Batch norms: they differ in the shapes they take. */
import { batchNorm } from "../../compute/tensor/ops/batch-norm.ts";
import type { Tensor } from "../../compute/tensor/tensor.ts";
import type { Module } from "./module.ts";
import { RunningNorm } from "./running-norm.ts";
import type { RunningNormOptions } from "./running-norm.ts";

abstract class BatchNorm extends RunningNorm {
  readonly #ranks: readonly number[];

  protected constructor(ranks: readonly number[], channels: number, options: RunningNormOptions) {
    super(channels, { eps: 1e-5, momentum: 0.1, affine: true, trackRunningStats: true, ...options });
    this.#ranks = ranks;
  }

  forward(x: Tensor): Tensor {
    this.checkRank(x, this.#ranks);
    const { running_mean, running_var, weight, bias, eps } = this;
    const { training } = this;
    const momentum = training ? this.nextMomentum() : 0;
    return batchNorm(x, running_mean, running_var, weight, bias, {
      training: training || running_mean === null,
      momentum,
      eps,
    });
  }
}

/** Normalises each channel of [B, C] or [B, C, L] over all other axes, in `eval` by the running statistics; the shape stays. */
export class BatchNorm1d extends BatchNorm {
  constructor(channels: number, options: RunningNormOptions = {}) {
    super([2, 3], channels, options);
  }
}

/** Normalises each channel of [B, C, H, W] over all other axes, in `eval` by the running statistics; the shape stays. */
export class BatchNorm2d extends BatchNorm {
  constructor(channels: number, options: RunningNormOptions = {}) {
    super([4], channels, options);
  }
}

/** Normalises each channel of [B, C, D, H, W] over all other axes, in `eval` by the running statistics; the shape stays. */
export class BatchNorm3d extends BatchNorm {
  constructor(channels: number, options: RunningNormOptions = {}) {
    super([5], channels, options);
  }
}

/**
 * True for models that are not the same when a batch comes in parts: those with batch norms, where samples influence
 * each other, or with running statistics, which move once for each part.
 */
export function hasBatchStatistics(model: Module): boolean {
  return model
    .modules()
    .some((module) => module instanceof BatchNorm || (module instanceof RunningNorm && module.running_mean !== null));
}
