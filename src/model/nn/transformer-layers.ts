/** The layers of PyTorch's transformers, with its names of parameters. */
import { OptionError } from "../../base/errors.ts";
import type { Tensor } from "../../compute/tensor/tensor.ts";
import { Dropout } from "./dropout.ts";
import { LayerNorm } from "./layer-norm.ts";
import { Linear } from "./linear.ts";
import { Module } from "./module.ts";
import { MultiheadAttention } from "./multihead-attention.ts";
import type { MultiheadAttentionMasks } from "./multihead-attention.ts";

/** Options of transformers' layers. */
export interface TransformerLayerOptions {
  /** Features between the two Linear layers: 2048 by default. */
  readonly dimFeedforward?: number;
  /** 0.1 by default. */
  readonly dropout?: number;
  /** "relu" by default. */
  readonly activation?: "relu" | "gelu" | ((x: Tensor) => Tensor);
  /** 1e-5 by default. */
  readonly layerNormEps?: number;
  /** [N, T, E] instead of [T, N, E]. */
  readonly batchFirst?: boolean;
  /** Norms come before attention and feed-forward part, instead of after the sums. */
  readonly normFirst?: boolean;
  readonly bias?: boolean;
}

type Activation = (x: Tensor) => Tensor;

function activationOf(operation: string, activation: TransformerLayerOptions["activation"] = "relu"): Activation {
  if (typeof activation === "function") return activation;
  switch (activation) {
    case "relu":
      return (x) => x.relu();
    case "gelu":
      return (x) => x.gelu();
    default:
      activation satisfies never;
      throw new OptionError(
        `${operation}: expected the activation relu, gelu or a function, found ${String(activation)}`,
      );
  }
}

/** What places of the source do not attend to. */
export interface EncoderMasks {
  /** [T, T] or [N * heads, T, T]: bool, true where a place does not attend to another, or floats that are added. */
  readonly srcMask?: Tensor | null;
  /** `[N, T]`: bool, true for places that nobody attends to, or floats that are added. */
  readonly srcKeyPaddingMask?: Tensor | null;
  /** Each place sees itself and those before it only. */
  readonly isCausal?: boolean;
}

/** Self-attention and a feed-forward part, each with dropout, a sum and a norm: [T, N, E] -> the same. */
export class TransformerEncoderLayer extends Module {
  readonly self_attn: MultiheadAttention;
  readonly linear1: Linear;
  readonly dropout: Dropout;
  readonly linear2: Linear;
  readonly norm1: LayerNorm;
  readonly norm2: LayerNorm;
  readonly dropout1: Dropout;
  readonly dropout2: Dropout;
  readonly #activation: Activation;
  readonly #settings: readonly [dModel: number, nhead: number, options: TransformerLayerOptions];

  /** @throws OptionError */
  constructor(dModel: number, nhead: number, options: TransformerLayerOptions = {}) {
    super();
    const { dimFeedforward = 2048, dropout = 0.1, layerNormEps: eps = 1e-5, batchFirst = false, bias = true } = options;
    this.self_attn = new MultiheadAttention(dModel, nhead, { dropout, bias, batchFirst });
    this.linear1 = new Linear(dModel, dimFeedforward, { bias });
    this.dropout = new Dropout(dropout);
    this.linear2 = new Linear(dimFeedforward, dModel, { bias });
    this.norm1 = new LayerNorm(dModel, { eps, bias });
    this.norm2 = new LayerNorm(dModel, { eps, bias });
    this.dropout1 = new Dropout(dropout);
    this.dropout2 = new Dropout(dropout);
    this.#activation = activationOf("TransformerEncoderLayer", options.activation);
    this.#settings = [dModel, nhead, options];
  }

  /** Another with the same settings and initial values of its own. */
  another(): TransformerEncoderLayer {
    return new TransformerEncoderLayer(...this.#settings);
  }

  forward(src: Tensor, { srcMask, srcKeyPaddingMask, isCausal }: EncoderMasks = {}): Tensor {
    const masks = { attnMask: srcMask ?? null, keyPaddingMask: srcKeyPaddingMask ?? null, isCausal: isCausal ?? false };
    const attend = (x: Tensor): Tensor => this.dropout1.call(attention(this.self_attn, x, x, masks));
    if (this.#settings[2].normFirst === true) {
      const x = src.add(attend(this.norm1.call(src)));
      return x.add(this.#feed(this.norm2.call(x)));
    }
    const x = this.norm1.call(src.add(attend(src)));
    return this.norm2.call(x.add(this.#feed(x)));
  }

  #feed(x: Tensor): Tensor {
    return this.dropout2.call(this.linear2.call(this.dropout.call(this.#activation(this.linear1.call(x)))));
  }
}

/** What places of the target do not attend to: bool, true hides, or floats that are added. */
export interface DecoderMasks {
  /** As `srcMask` of an encoder, for the target's places. */
  readonly tgtMask?: Tensor | null;
  /** [T, S] or [N * heads, T, S], for the target's places and the memory's. */
  readonly memoryMask?: Tensor | null;
  /** [N, T] */
  readonly tgtKeyPaddingMask?: Tensor | null;
  /** [N, S] */
  readonly memoryKeyPaddingMask?: Tensor | null;
  readonly tgtIsCausal?: boolean;
  readonly memoryIsCausal?: boolean;
}

/** Self-attention, attention to `memory` [S, N, E], and a feed-forward part: [T, N, E] -> the same. */
export class TransformerDecoderLayer extends Module {
  readonly self_attn: MultiheadAttention;
  readonly multihead_attn: MultiheadAttention;
  readonly linear1: Linear;
  readonly dropout: Dropout;
  readonly linear2: Linear;
  readonly norm1: LayerNorm;
  readonly norm2: LayerNorm;
  readonly norm3: LayerNorm;
  readonly dropout1: Dropout;
  readonly dropout2: Dropout;
  readonly dropout3: Dropout;
  readonly #activation: Activation;
  readonly #settings: readonly [dModel: number, nhead: number, options: TransformerLayerOptions];

  /** @throws OptionError */
  constructor(dModel: number, nhead: number, options: TransformerLayerOptions = {}) {
    super();
    const { dimFeedforward = 2048, dropout = 0.1, layerNormEps: eps = 1e-5, batchFirst = false, bias = true } = options;
    this.self_attn = new MultiheadAttention(dModel, nhead, { dropout, bias, batchFirst });
    this.multihead_attn = new MultiheadAttention(dModel, nhead, { dropout, bias, batchFirst });
    this.linear1 = new Linear(dModel, dimFeedforward, { bias });
    this.dropout = new Dropout(dropout);
    this.linear2 = new Linear(dimFeedforward, dModel, { bias });
    this.norm1 = new LayerNorm(dModel, { eps, bias });
    this.norm2 = new LayerNorm(dModel, { eps, bias });
    this.norm3 = new LayerNorm(dModel, { eps, bias });
    this.dropout1 = new Dropout(dropout);
    this.dropout2 = new Dropout(dropout);
    this.dropout3 = new Dropout(dropout);
    this.#activation = activationOf("TransformerDecoderLayer", options.activation);
    this.#settings = [dModel, nhead, options];
  }

  /** Another with the same settings and initial values of its own. */
  another(): TransformerDecoderLayer {
    return new TransformerDecoderLayer(...this.#settings);
  }

  forward(tgt: Tensor, memory: Tensor, masks: DecoderMasks = {}): Tensor {
    const own = {
      attnMask: masks.tgtMask ?? null,
      keyPaddingMask: masks.tgtKeyPaddingMask ?? null,
      isCausal: masks.tgtIsCausal ?? false,
    };
    const other = {
      attnMask: masks.memoryMask ?? null,
      keyPaddingMask: masks.memoryKeyPaddingMask ?? null,
      isCausal: masks.memoryIsCausal ?? false,
    };
    const attend = (x: Tensor): Tensor => this.dropout1.call(attention(this.self_attn, x, x, own));
    const look = (x: Tensor): Tensor => this.dropout2.call(attention(this.multihead_attn, x, memory, other));
    if (this.#settings[2].normFirst === true) {
      const x = tgt.add(attend(this.norm1.call(tgt)));
      const y = x.add(look(this.norm2.call(x)));
      return y.add(this.#feed(this.norm3.call(y)));
    }
    const x = this.norm1.call(tgt.add(attend(tgt)));
    const y = this.norm2.call(x.add(look(x)));
    return this.norm3.call(y.add(this.#feed(y)));
  }

  #feed(x: Tensor): Tensor {
    return this.dropout3.call(this.linear2.call(this.dropout.call(this.#activation(this.linear1.call(x)))));
  }
}

function attention(layer: MultiheadAttention, x: Tensor, memory: Tensor, masks: MultiheadAttentionMasks): Tensor {
  return layer.call(x, memory, memory, { ...masks, needWeights: false }).output;
}
