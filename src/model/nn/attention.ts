import { OptionError } from "../../base/errors.ts";
import { scaledDotProductAttention } from "../../compute/tensor/ops/scaled-dot-product-attention.ts";
import type { Tensor } from "../../compute/tensor/tensor.ts";
import { Linear } from "./linear.ts";
import { Module } from "./module.ts";

export interface AttentionLayerOptions {
  readonly heads: number;
  readonly bias?: boolean;
}

/**
 * Attention of each place to itself and those before it: [B, T, C] -> [B, T, C].
 *
 * `qkv` is one Linear, whose output is q, k and v after another, each [B, T, heads, C / heads].
 */
export class CausalSelfAttention extends Module {
  readonly qkv: Linear;
  readonly proj: Linear;
  readonly heads: number;

  constructor(width: number, { heads, bias = true }: AttentionLayerOptions) {
    super();
    if (!Number.isInteger(width / heads)) {
      throw new OptionError(`CausalSelfAttention: expected heads that divide the width ${width}, found ${heads}`);
    }
    this.qkv = new Linear(width, 3 * width, { bias });
    this.proj = new Linear(width, width, { bias });
    this.heads = heads;
  }

  forward(x: Tensor): Tensor {
    const [batch = 0, time = 0, width = 0] = x.shape;
    // [B, T, 3, H, D] -> [3, B, H, T, D]
    const parts = this.qkv.call(x).reshape([batch, time, 3, this.heads, width / this.heads]).permute([2, 0, 3, 1, 4]); // prettier-ignore
    const y = scaledDotProductAttention(parts.select(0, 0), parts.select(0, 1), parts.select(0, 2), { causal: true });
    return this.proj.call(y.transpose(1, 2).reshape([batch, time, width]));
  }
}
