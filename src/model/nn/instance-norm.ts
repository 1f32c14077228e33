/** Instance norms: they differ in the shapes they take. */
import { instanceNorm } from "../../compute/tensor/ops/instance-norm.ts";
import { onBatch } from "../../compute/tensor/ops/spatial.ts";
import type { Tensor } from "../../compute/tensor/tensor.ts";
import { RunningNorm } from "./running-norm.ts";
import type { RunningNormOptions } from "./running-norm.ts";

abstract class InstanceNorm extends RunningNorm {
  readonly #rank: number;

  protected constructor(rank: number, channels: number, options: RunningNormOptions) {
    super(channels, { eps: 1e-5, momentum: 0.1, affine: false, trackRunningStats: false, ...options });
    this.#rank = rank;
  }

  forward(x: Tensor): Tensor {
    const { running_mean, running_var, weight, bias, eps, training } = this;
    const momentum = training ? this.nextMomentum() : 0;
    return onBatch(this.constructor.name, this.#rank, x, (batch) =>
      instanceNorm(batch, running_mean, running_var, weight, bias, {
        useInputStats: training || running_mean === null,
        momentum,
        eps,
      }),
    );
  }
}

/**
 * Normalises each channel of each example of [B, C, L] or [C, L], without `weight` and `bias` by default; the
 * shape stays.
 */
export class InstanceNorm1d extends InstanceNorm {
  constructor(channels: number, options: RunningNormOptions = {}) {
    super(1, channels, options);
  }
}

/**
 * Normalises each channel of each example of [B, C, H, W] or [C, H, W], without `weight` and `bias` by default; the
 * shape stays.
 */
export class InstanceNorm2d extends InstanceNorm {
  constructor(channels: number, options: RunningNormOptions = {}) {
    super(2, channels, options);
  }
}

/**
 * Normalises each channel of each example of [B, C, D, H, W] or [C, D, H, W], without `weight` and `bias` by default;
 * the shape stays.
 */
export class InstanceNorm3d extends InstanceNorm {
  constructor(channels: number, options: RunningNormOptions = {}) {
    super(3, channels, options);
  }
}
