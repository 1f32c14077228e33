/** Dropout of whole channels. */
import { dropout } from "../../compute/tensor/ops/dropout.ts";
import { filled } from "../../compute/tensor/operands.ts";
import { onBatch } from "../../compute/tensor/ops/spatial.ts";
import type { Tensor } from "../../compute/tensor/tensor.ts";
import { Dropout } from "./dropout.ts";

abstract class ChannelDropout extends Dropout {
  readonly #rank: number;

  protected constructor(rank: number, p: number | undefined) {
    super(p);
    this.#rank = rank;
  }

  override forward(x: Tensor): Tensor {
    const { p, training, generator } = this;
    return onBatch(this.constructor.name, this.#rank, x, (batch) => {
      if (!training || p === 0) return batch;
      const perChannel = batch.shape.map((size, axis) => (axis < 2 ? size : 1));
      return batch.mul(dropout(filled(perChannel, 1, batch.dtype), { p, training, generator }));
    });
  }
}

/**
 * While training, zeroes whole channels of [B, C, L] or [C, L] with probability p and scales the others by
 * 1 / (1 - p); the shape stays.
 */
export class Dropout1d extends ChannelDropout {
  constructor(p?: number) {
    super(1, p);
  }
}

/**
 * While training, zeroes whole channels of [B, C, H, W] or [C, H, W] with probability p and scales the others by
 * 1 / (1 - p); the shape stays.
 */
export class Dropout2d extends ChannelDropout {
  constructor(p?: number) {
    super(2, p);
  }
}

/**
 * While training, zeroes whole channels of [B, C, D, H, W] or [C, D, H, W] with probability p and scales the others by
 * 1 / (1 - p); the shape stays.
 */
export class Dropout3d extends ChannelDropout {
  constructor(p?: number) {
    super(3, p);
  }
}
