import { isFloat } from "../../layout/dtype.ts";
import type { DType } from "../../layout/dtype.ts";
import { defaultGenerator } from "../generator.ts";
import type { Generator } from "../generator.ts";
import { sizeOf } from "../shapes.ts";
import { iotaTensor } from "../source.ts";
import type { Tensor } from "../tensor.ts";
import { attentionOperands, checkDropout, combinedMask, MASKED } from "./attention-operands.ts";
import type { AttentionOperands } from "./attention-operands.ts";
import { dropout } from "./dropout.ts";
import { batchedMatmul } from "./matmul.ts";
import { tiledAttention } from "./tiled-attention.ts";
import { where } from "./where.ts";

/** Up to so many scores for a query head the whole matrix is faster than its tiles, and small. */
const WHOLE_MAX = 512 * 512;
/** A tile's scores then take 256 KiB for each head. */
const TILE_SIZE = 256;

/** Options of `scaledDotProductAttention`. */
export interface AttentionOptions {
  /** Bool: true where the query attends to the key. Floats: added to the scores, -Infinity masks. Broadcasts to [.., H, T, S]. */
  readonly mask?: Tensor | null;
  /** Floats that are added to the scores, beside a mask of bool. Broadcasts to [.., H, T, S]. */
  readonly bias?: Tensor | null;
  /** Query t sees the keys 0 to t only. */
  readonly causal?: boolean;
  /** What products of queries and keys are multiplied with: 1 / sqrt(D) by default. */
  readonly scale?: number;
  /** The share of weights that is set to 0, while the others grow for it. */
  readonly dropoutP?: number;
  /** Where the bits of dropout come from; the default generator otherwise. */
  readonly generator?: Generator | undefined;
  /** PyTorch's name for `mask`. */
  readonly attnMask?: Tensor | null;
  /** PyTorch's name for `causal`. */
  readonly isCausal?: boolean;
  /** Changes nothing: fewer key heads than query heads are always grouped, as PyTorch does when asked to. */
  readonly enableGqa?: boolean;
  /** The largest tile of scores that is computed at once, as a number of queries and keys; for tests. */
  readonly tileSize?: number;
}

/**
 * softmax(scale q k^T + bias) v: q [.., H, T, D], k [.., K, S, D], v [.., K, S, E] -> [.., H, T, E]. Each of the K key
 * heads, a divisor of H, serves H / K query heads in a row. Queries that attend to nothing get 0.
 *
 * Computes in float32. More than 512 x 512 scores are never held as a whole, neither here nor in the gradient: beyond
 * its arguments, result and gradients it then takes a few times 4 * H * 256 * 256 bytes. The gradient of the gradient
 * holds all scores. A mask is the caller's: one of [T, S] takes what it takes, one that is computed from places
 * (`arange`) usually nothing.
 *
 * @throws ShapeError, OptionError, UnsupportedError
 */
export function scaledDotProductAttention(q: Tensor, k: Tensor, v: Tensor, options: AttentionOptions = {}): Tensor {
  const { operands, settings, dtype } = prepared([q, k, v], options);
  const { tileSize } = options;
  const [queries, keys] = [sizeOf(operands.q.shape, 2), sizeOf(operands.k.shape, 1)];
  const isLarge = tileSize === undefined ? queries * keys > WHOLE_MAX : Math.max(queries, keys) > tileSize;
  const isTiled = isLarge && Math.min(queries, keys) > 0;
  const key = isTiled ? (settings.generator?.nextKey() ?? null) : null;
  const result = isTiled
    ? tiledAttention(operands, key, { ...settings, tileSize: tileSize ?? TILE_SIZE })
    : wholeAttention(operands, settings);
  return result.reshape(operands.shape).cast(dtype);
}

interface Prepared {
  readonly operands: AttentionOperands;
  readonly settings: Settings;
  /** Of the result. */
  readonly dtype: DType;
}

function prepared(inputs: readonly [q: Tensor, k: Tensor, v: Tensor], options: AttentionOptions): Prepared {
  const { bias = null, dropoutP = 0, generator } = options;
  checkDropout(dropoutP);
  const [q] = inputs;
  const settings = {
    scale: options.scale ?? 1 / Math.sqrt(sizeOf(q.shape, q.shape.length - 1)),
    causal: options.causal ?? options.isCausal ?? false,
    dropoutP,
    generator: dropoutP > 0 ? (generator ?? defaultGenerator()) : undefined,
  };
  const operands = attentionOperands(inputs, combinedMask(options.mask ?? options.attnMask ?? null, bias));
  return { operands, settings, dtype: isFloat(q.dtype) ? q.dtype : "float32" };
}

interface Settings {
  readonly scale: number;
  readonly causal: boolean;
  readonly dropoutP: number;
  readonly generator: Generator | undefined;
}

/** By the formula: holds scores and weights of [B, G, T, S], for the gradient too. */
function wholeAttention(operands: AttentionOperands, settings: Settings): Tensor {
  const { q, k, v } = operands;
  const [batch = 0, group = 0, queries = 0] = q.shape;
  const [keys, width] = [sizeOf(k.shape, 1), sizeOf(v.shape, 2)];
  const { generator, dropoutP: p } = settings;
  const all = weightsOf(operands, settings);
  const weights = generator === undefined ? all : dropout(all, { p, generator });
  return batchedMatmul(weights.reshape([batch, group * queries, keys]), v).reshape([batch, group, queries, width]);
}

/** [B, G, T, S]: 0 for queries without keys. */
function weightsOf({ q, k, mask }: AttentionOperands, { scale, causal }: Settings): Tensor {
  const [batch = 0, group = 0, queries = 0, depth = 0] = q.shape;
  const keys = sizeOf(k.shape, 1);
  const product = batchedMatmul(q.reshape([batch, group * queries, depth]), k.transpose(1, 2)).mul(scale);
  const scores = product.reshape([batch, group, queries, keys]);
  const isSeen = seenKeys(mask, causal, [queries, keys]);
  const biased = mask !== null && mask.dtype !== "bool" ? scores.add(mask) : scores;
  const seen = isSeen === null ? biased : where(isSeen, biased, MASKED);
  const weights = seen.softmax(3);
  return mask === null || keys === 0 ? weights : where(seen.max(3, { keepDim: true }).gt(MASKED / 2), weights, 0);
}

/**
 * What scaledDotProductAttention multiplies the values with, before dropout: q [.., H, T, D], k [.., K, S, D] ->
 * [.., H, T, S], all of it. @throws ShapeError, OptionError, UnsupportedError
 */
export function attentionWeights(q: Tensor, k: Tensor, options: AttentionOptions = {}): Tensor {
  const { operands, settings, dtype } = prepared([q, k, k], options);
  const shape = [...operands.shape.slice(0, -1), sizeOf(k.shape, k.shape.length - 2)];
  return weightsOf(operands, settings).reshape(shape).cast(dtype);
}

/** Where keys are seen, by a mask of bool and by place; null for everywhere. */
function seenKeys(mask: Tensor | null, causal: boolean, matrix: readonly number[]): Tensor | null {
  const past = causal ? iotaTensor(matrix, 1).le(iotaTensor(matrix, 0)) : null;
  if (mask === null || mask.dtype !== "bool") return past;
  return past === null ? mask : mask.logicalAnd(past);
}
