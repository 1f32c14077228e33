import { OptionError } from "../../base/errors.ts";
import { Generator } from "../../compute/tensor/generator.ts";
import { scaledDotProductAttention } from "../../compute/tensor/ops/scaled-dot-product-attention.ts";
import type { Tensor } from "../../compute/tensor/tensor.ts";
import { nextRandom } from "./init.ts";
import { Linear } from "./linear.ts";
import { Module } from "./module.ts";

/** Options of `CausalSelfAttention`. */
export interface AttentionLayerOptions {
  readonly heads: number;
  readonly bias?: boolean;
  /** Heads of keys and values, a divisor of `heads`, each shared by a group of query heads: `heads` by default. */
  readonly keyHeads?: number;
  /** The share of attention weights that is dropped while training: 0 by default. */
  readonly dropout?: number;
}

/**
 * Attention of each place to itself and those before it: [B, T, C] -> [B, T, C].
 *
 * `qkv` is one Linear, whose output is q, k and v after another: q [B, T, heads, C / heads], k and v
 * [B, T, keyHeads, C / heads].
 */
export class CausalSelfAttention extends Module {
  readonly qkv: Linear;
  readonly proj: Linear;
  readonly heads: number;
  readonly keyHeads: number;
  readonly dropout: number;
  readonly generator: Generator | null;

  /** @throws OptionError */
  constructor(width: number, { heads, bias = true, keyHeads = heads, dropout = 0 }: AttentionLayerOptions) {
    super();
    if (!Number.isInteger(width / heads)) {
      throw new OptionError(`CausalSelfAttention: expected heads that divide the width ${width}, found ${heads}`);
    }
    if (!Number.isInteger(heads / keyHeads)) {
      throw new OptionError(
        `CausalSelfAttention: expected key heads that divide the ${heads} heads, found ${keyHeads}`,
      );
    }
    this.qkv = new Linear(width, width + 2 * keyHeads * (width / heads), { bias });
    this.proj = new Linear(width, width, { bias });
    this.heads = heads;
    this.keyHeads = keyHeads;
    this.dropout = dropout;
    this.generator = dropout > 0 ? new Generator(nextRandom()) : null;
  }

  forward(x: Tensor): Tensor {
    const [batch = 0, time = 0, width = 0] = x.shape;
    const { heads, keyHeads } = this;
    const depth = width / heads;
    // [B, T, heads + 2 keyHeads, D] -> [B, heads + 2 keyHeads, T, D]
    const all = this.qkv
      .call(x)
      .reshape([batch, time, heads + 2 * keyHeads, depth])
      .transpose(1, 2);
    const y = scaledDotProductAttention(
      all.narrow(1, 0, heads),
      all.narrow(1, heads, keyHeads),
      all.narrow(1, heads + keyHeads, keyHeads),
      {
        causal: true,
        ...(this.training && this.generator && { dropoutP: this.dropout, generator: this.generator }),
      },
    );
    return this.proj.call(y.transpose(1, 2).reshape([batch, time, width]));
  }
}
