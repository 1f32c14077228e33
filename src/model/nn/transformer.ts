/** Stacks of transformer layers, and the whole of them (Vaswani et al., "Attention Is All You Need", 2017). */
import { present } from "../../base/assert.ts";
import { OptionError } from "../../base/errors.ts";
import { iotaTensor } from "../../compute/tensor/source.ts";
import { Tensor } from "../../compute/tensor/tensor.ts";
import { ModuleList } from "./containers.ts";
import { xavierUniform } from "./initializers.ts";
import { LayerNorm } from "./layer-norm.ts";
import { Module } from "./module.ts";
import { copiedValue } from "./set-values.ts";
import { TransformerDecoderLayer, TransformerEncoderLayer } from "./transformer-layers.ts";
import type { DecoderMasks, EncoderMasks, TransformerLayerOptions } from "./transformer-layers.ts";

/** A layer that others are made like, or what makes the layer of an index. */
type LayerSource<T> = T | ((index: number) => T);

interface Repeatable<T> extends Module {
  another(): T;
}

/** As PyTorch's copies: all layers start with the values of the one that was given. */
function layersOf<T extends Repeatable<T>>(operation: string, source: LayerSource<T>, count: number): ModuleList<T> {
  if (!Number.isInteger(count) || count < 0) {
    throw new OptionError(`${operation}: expected a number of layers from 0, found ${count}`);
  }
  return new ModuleList(
    Array.from({ length: count }, (_, index) => {
      if (typeof source === "function") return source(index);
      const layer = source.another();
      const values = new Map<string, Tensor>(source.namedParameters());
      for (const [name, parameter] of layer.namedParameters()) {
        parameter.assign(new Tensor(copiedValue(present(values.get(name), `${operation}: ${name}`))));
      }
      return layer;
    }),
  );
}

/** Options of `TransformerEncoder` and `TransformerDecoder`. */
export interface StackOptions {
  /** Comes after the last layer; none by default. */
  readonly norm?: LayerNorm | null;
}

/** Encoder layers one after another: [T, N, E] (or [N, T, E] if its layers are so) -> the same. */
export class TransformerEncoder extends Module {
  readonly layers: ModuleList<TransformerEncoderLayer>;
  readonly norm: LayerNorm | null;

  /** @param layer which all start as; a function for layers that differ. @throws OptionError */
  constructor(layer: LayerSource<TransformerEncoderLayer>, numLayers: number, { norm = null }: StackOptions = {}) {
    super();
    this.layers = layersOf("TransformerEncoder", layer, numLayers);
    this.norm = norm;
  }

  forward(src: Tensor, masks: EncoderMasks = {}): Tensor {
    let x = src;
    for (const layer of this.layers) x = layer.call(x, masks);
    return this.norm?.call(x) ?? x;
  }
}

/** Decoder layers one after another: target [T, N, E] and memory [S, N, E] -> [T, N, E]. */
export class TransformerDecoder extends Module {
  readonly layers: ModuleList<TransformerDecoderLayer>;
  readonly norm: LayerNorm | null;

  /** @param layer which all start as; a function for layers that differ. @throws OptionError */
  constructor(layer: LayerSource<TransformerDecoderLayer>, numLayers: number, { norm = null }: StackOptions = {}) {
    super();
    this.layers = layersOf("TransformerDecoder", layer, numLayers);
    this.norm = norm;
  }

  forward(tgt: Tensor, memory: Tensor, masks: DecoderMasks = {}): Tensor {
    let x = tgt;
    for (const layer of this.layers) x = layer.call(x, memory, masks);
    return this.norm?.call(x) ?? x;
  }
}

/** Options of `Transformer`. */
export interface TransformerOptions extends TransformerLayerOptions {
  /** Features: 512 by default. */
  readonly dModel?: number;
  /** Heads: 8 by default. */
  readonly nhead?: number;
  /** 6 by default. */
  readonly numEncoderLayers?: number;
  /** 6 by default. */
  readonly numDecoderLayers?: number;
}

/** Masks of `Transformer`: of its encoder, its decoder, and between them. */
export interface TransformerMasks extends DecoderMasks {
  readonly srcMask?: Tensor | null;
  readonly srcKeyPaddingMask?: Tensor | null;
  readonly srcIsCausal?: boolean;
}

/** Encoder and decoder: source [S, N, E] and target [T, N, E] -> [T, N, E]; batches first if so asked for. */
export class Transformer extends Module {
  readonly encoder: TransformerEncoder;
  readonly decoder: TransformerDecoder;

  /** @throws OptionError */
  constructor(options: TransformerOptions = {}) {
    super();
    const { dModel = 512, nhead = 8, numEncoderLayers = 6, numDecoderLayers = 6, ...layer } = options;
    const norm = (): LayerNorm => new LayerNorm(dModel, { eps: layer.layerNormEps ?? 1e-5, bias: layer.bias ?? true });
    const encoderLayer = (): TransformerEncoderLayer => new TransformerEncoderLayer(dModel, nhead, layer);
    const decoderLayer = (): TransformerDecoderLayer => new TransformerDecoderLayer(dModel, nhead, layer);
    this.encoder = new TransformerEncoder(encoderLayer, numEncoderLayers, { norm: norm() });
    this.decoder = new TransformerDecoder(decoderLayer, numDecoderLayers, { norm: norm() });
    for (const parameter of this.parameters()) if (parameter.shape.length > 1) xavierUniform(parameter);
  }

  forward(src: Tensor, tgt: Tensor, masks: TransformerMasks = {}): Tensor {
    const { srcMask = null, srcKeyPaddingMask = null, srcIsCausal = false } = masks;
    const memory = this.encoder.call(src, { srcMask, srcKeyPaddingMask, isCausal: srcIsCausal });
    return this.decoder.call(tgt, memory, masks);
  }

  /** [size, size], to be added to scores: -1e30, which masks, for keys that come after their query, else 0. */
  static generateSquareSubsequentMask(size: number): Tensor {
    return iotaTensor([size, size], 1)
      .gt(iotaTensor([size, size], 0))
      .where(-1e30, 0);
  }
}
