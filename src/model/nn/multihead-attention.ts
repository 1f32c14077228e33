import { OptionError, ShapeError } from "../../base/errors.ts";
import { formatShape } from "../../compute/layout/shape.ts";
import { Generator } from "../../compute/tensor/generator.ts";
import { linear } from "../../compute/tensor/ops/linear.ts";
import { attentionWeights, scaledDotProductAttention } from "../../compute/tensor/ops/scaled-dot-product-attention.ts";
import type { AttentionOptions } from "../../compute/tensor/ops/scaled-dot-product-attention.ts";
import type { Tensor } from "../../compute/tensor/tensor.ts";
import { constantValues, nextRandom, uniformValues } from "./init.ts";
import { zeros } from "./initializers.ts";
import { Linear } from "./linear.ts";
import { Module } from "./module.ts";
import { Parameter } from "./parameter.ts";

/** Options of `MultiheadAttention`. */
export interface MultiheadAttentionOptions {
  /** The share of attention weights that is dropped while training: 0 by default. */
  readonly dropout?: number;
  /** On by default. */
  readonly bias?: boolean;
  /** Features of the keys, if others than the queries': they get a projection of their own. */
  readonly kdim?: number;
  /** Features of the values, if others than the queries'. */
  readonly vdim?: number;
  /** Batches come first, [N, T, E]; otherwise, as in PyTorch, [T, N, E]. */
  readonly batchFirst?: boolean;
}

/** What is not attended to. Masks are PyTorch's: true hides. */
export interface MultiheadAttentionMasks {
  /** [N, S] or [S]: bool, true for keys that nobody attends to, or floats that are added. */
  readonly keyPaddingMask?: Tensor | null;
  /** [T, S] or [N * heads, T, S]: bool, true where the query does not attend to the key, or floats that are added. */
  readonly attnMask?: Tensor | null;
  /** Query t sees the keys 0 to t only. */
  readonly isCausal?: boolean;
}

/** Options of a call of `MultiheadAttention`. */
export interface MultiheadAttentionCall extends MultiheadAttentionMasks {
  /** Gives the weights too: on by default. They cost something only if they are read, but then all T * S of them. */
  readonly needWeights?: boolean;
  /** Their mean over the heads instead of each head's: on by default. */
  readonly averageAttnWeights?: boolean;
}

/** What `MultiheadAttention` gives: by name, and in PyTorch's order. */
export type AttentionResult = readonly [output: Tensor, weights: Tensor | null] & {
  /** In the form of the query. */
  readonly output: Tensor;
  /** [N, T, S], or [N, heads, T, S]; without N where there is no batch. Before dropout. */
  readonly weights: Tensor | null;
};

/**
 * PyTorch's attention of several heads: query [T, N, E], key [S, N, K] and value [S, N, V] (or without N, or [N, T, E] if
 * `batchFirst`) -> output like the query. Parameters, by PyTorch's names: `in_proj_weight` [3 E, E], or `q_proj_weight`
 * [E, E], `k_proj_weight` [E, K] and `v_proj_weight` [E, V]; `in_proj_bias` [3 E]; `out_proj`.
 *
 * Its masks are PyTorch's: true in a mask of bool hides a key, the other way round than in scaledDotProductAttention.
 */
export class MultiheadAttention extends Module {
  readonly in_proj_weight: Parameter | null = null;
  readonly q_proj_weight: Parameter | null = null;
  readonly k_proj_weight: Parameter | null = null;
  readonly v_proj_weight: Parameter | null = null;
  readonly in_proj_bias: Parameter | null;
  readonly out_proj: Linear;
  readonly embedDim: number;
  readonly numHeads: number;
  readonly dropout: number;
  readonly batchFirst: boolean;
  readonly generator: Generator | null;

  /** @throws OptionError */
  constructor(embedDim: number, numHeads: number, options: MultiheadAttentionOptions = {}) {
    super();
    const { dropout = 0, bias = true, kdim = embedDim, vdim = embedDim, batchFirst = false } = options;
    if (!Number.isInteger(embedDim / numHeads) || embedDim < 1) {
      throw new OptionError(
        `MultiheadAttention: expected heads that divide the ${embedDim} features, found ${numHeads}`,
      );
    }
    if (kdim === embedDim && vdim === embedDim) this.in_proj_weight = xavier([3 * embedDim, embedDim]);
    else {
      this.q_proj_weight = xavier([embedDim, embedDim]);
      this.k_proj_weight = xavier([embedDim, kdim]);
      this.v_proj_weight = xavier([embedDim, vdim]);
    }
    this.in_proj_bias = bias ? new Parameter(constantValues([3 * embedDim], 0)) : null;
    this.out_proj = new Linear(embedDim, embedDim, { bias });
    if (this.out_proj.bias !== null) zeros(this.out_proj.bias);
    this.embedDim = embedDim;
    this.numHeads = numHeads;
    this.dropout = dropout;
    this.batchFirst = batchFirst;
    this.generator = dropout > 0 ? new Generator(nextRandom()) : null;
  }

  /** @throws ShapeError, OptionError, UnsupportedError */
  forward(query: Tensor, key: Tensor, value: Tensor, options: MultiheadAttentionCall = {}): AttentionResult {
    const { needWeights = true, averageAttnWeights = true } = options;
    const rank = query.shape.length;
    if ((rank !== 2 && rank !== 3) || key.shape.length !== rank || value.shape.length !== rank) {
      throw new ShapeError(
        `MultiheadAttention: expected query, key and value with 3 axes each, or 2, found ${[query, key, value].map(({ shape }) => formatShape(shape)).join(", ")}`,
      );
    }
    const [q, k, v] = this.#project(query, key, value).map((x) => this.#heads(x)) as [Tensor, Tensor, Tensor];
    const masks = this.#masks(options, q.shape[0] ?? 0);
    const attended = scaledDotProductAttention(q, k, v, {
      ...masks,
      ...(this.training && this.generator && { dropoutP: this.dropout, generator: this.generator }),
    });
    const whole = needWeights ? attentionWeights(q, k, masks) : null;
    const mean = averageAttnWeights ? whole?.mean(1) : whole;
    const output = this.out_proj.call(this.#merged(attended, rank));
    const weights = (rank === 2 ? mean?.squeeze(0) : mean) ?? null;
    return Object.assign([output, weights] as const, { output, weights });
  }

  #project(query: Tensor, key: Tensor, value: Tensor): readonly Tensor[] {
    const { embedDim: E, in_proj_weight: all, in_proj_bias: bias } = this;
    if (all !== null && query === key && key === value) return linear(query, all, bias).split(E, -1);
    const weights = all?.split(E, 0) ?? [this.q_proj_weight, this.k_proj_weight, this.v_proj_weight];
    const biases = bias?.split(E, 0);
    return [query, key, value].map((x, i) => linear(x, weights[i] as Tensor, biases?.[i]));
  }

  /** -> [N, H, T, D] */
  #heads(x: Tensor): Tensor {
    const batched = x.shape.length === 2 ? x.unsqueeze(0) : this.batchFirst ? x : x.transpose(0, 1);
    const [batch = 0, time = 0] = batched.shape;
    return batched.reshape([batch, time, this.numHeads, this.embedDim / this.numHeads]).transpose(1, 2);
  }

  /** [N, H, T, D] -> the form of the query. */
  #merged(x: Tensor, rank: number): Tensor {
    const [batch = 0, , time = 0] = x.shape;
    const merged = x.transpose(1, 2).reshape([batch, time, this.embedDim]);
    return rank === 2 ? merged.squeeze(0) : this.batchFirst ? merged : merged.transpose(0, 1);
  }

  #masks({ keyPaddingMask, attnMask, isCausal = false }: MultiheadAttentionMasks, batch: number): AttentionOptions {
    const padding = keyPaddingMask && rowsOf(keyPaddingMask).unsqueeze(1).unsqueeze(1);
    const own =
      attnMask?.shape.length === 3
        ? attnMask.reshape([batch, this.numHeads, ...attnMask.shape.slice(1)])
        : (attnMask ?? null);
    const masks = [padding ?? null, own].filter((mask) => mask !== null);
    const hidden = masks.filter((mask) => mask.dtype === "bool");
    const added = masks.filter((mask) => mask.dtype !== "bool");
    return {
      causal: isCausal,
      mask: hidden.length === 0 ? null : hidden.reduce((a, b) => a.logicalOr(b)).logicalNot(),
      bias: added.length === 0 ? null : added.reduce((a, b) => a.add(b)),
    };
  }
}

function rowsOf(mask: Tensor): Tensor {
  return mask.shape.length === 1 ? mask.unsqueeze(0) : mask;
}

/** Uniform, with the variance that keeps that of signals both ways (Glorot and Bengio, 2010). */
function xavier(shape: readonly [number, number]): Parameter {
  return new Parameter(uniformValues(shape, Math.sqrt(6 / (shape[0] + shape[1]))));
}
