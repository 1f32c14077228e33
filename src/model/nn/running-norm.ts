/** What batch and instance norms keep: PyTorch's parameters and running statistics, under PyTorch's names. */
import { ShapeError } from "../../base/errors.ts";
import { formatShape } from "../../compute/layout/shape.ts";
import { noGrad } from "../../compute/tensor/grad-mode.ts";
import type { Operand } from "../../compute/tensor/operands.ts";
import type { Tensor } from "../../compute/tensor/tensor.ts";
import { constantValues } from "./init.ts";
import { Module } from "./module.ts";
import { Buffer, Parameter } from "./parameter.ts";

/** Options of batch and instance norms. */
export interface RunningNormOptions {
  /** Added to the variance. */
  readonly eps?: number;
  /** How far the running statistics move at each step (0.1); null: they are means of all batches so far. */
  readonly momentum?: number | null;
  /** Has `weight` (at first 1) and `bias` (at first 0). */
  readonly affine?: boolean;
  /** Keeps running statistics, for `eval`. */
  readonly trackRunningStats?: boolean;
}

/** Normalises `channels` channels. While training, the running statistics are assigned, also in compiled functions. */
export abstract class RunningNorm extends Module {
  readonly weight: Parameter | null;
  readonly bias: Parameter | null;
  readonly running_mean: Buffer | null;
  readonly running_var: Buffer | null;
  readonly num_batches_tracked: Buffer | null;
  readonly eps: number;
  readonly momentum: number | null;

  protected constructor(channels: number, options: Required<RunningNormOptions>) {
    super();
    const { affine, trackRunningStats, eps, momentum } = options;
    this.weight = affine ? new Parameter(constantValues([channels], 1)) : null;
    this.bias = affine ? new Parameter(constantValues([channels], 0)) : null;
    this.running_mean = trackRunningStats ? new Buffer(constantValues([channels], 0)) : null;
    this.running_var = trackRunningStats ? new Buffer(constantValues([channels], 1)) : null;
    this.num_batches_tracked = trackRunningStats ? new Buffer({ shape: [], data: Int32Array.of(0) }) : null;
    this.eps = eps;
    this.momentum = momentum;
  }

  /** Counts a batch; gives how far the running statistics move for it. */
  protected nextMomentum(): Operand {
    const counted = this.num_batches_tracked;
    if (counted === null) return this.momentum ?? 0;
    return noGrad(() => {
      counted.assign(counted.add(1));
      return this.momentum ?? counted.detach().cast("float32").reciprocal();
    });
  }

  /** @throws ShapeError unless `x` has a rank among `ranks` */
  protected checkRank(x: Tensor, ranks: readonly number[]): void {
    if (!ranks.includes(x.shape.length)) {
      throw new ShapeError(
        `${this.constructor.name}: expected ${ranks.join(" or ")} axes, found the shape ${formatShape(x.shape)}`,
      );
    }
  }
}
