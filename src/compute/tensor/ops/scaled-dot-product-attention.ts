import { OptionError } from "../../../base/errors.ts";
import { isFloat } from "../../layout/dtype.ts";
import type { DType } from "../../layout/dtype.ts";
import type { Generator } from "../generator.ts";
import { filled } from "../operands.ts";
import { sizeOf } from "../shapes.ts";
import type { Tensor } from "../tensor.ts";
import { attentionOperands, checkDropout, combinedMask } from "./attention-operands.ts";
import type { AttentionOperands, AttentionSettings, PreparedOperands } from "./attention-operands.ts";
import { attentionWeightsOf, composedAttention } from "./composed-attention.ts";
import { dropout } from "./dropout.ts";
import { fusedAttention } from "./fused-attention.ts";

/** So few queries are shared out better by their scores, which then are few too. */
const QUERIES_FEW = 64;
const KEYS_MANY = 256;

/** Options of `scaledDotProductAttention`. */
export interface AttentionOptions {
  /** Bool: true where the query attends to the key. Floats: added to the scores, -Infinity masks. Broadcasts to [.., H, T, S]. */
  readonly mask?: Tensor | null;
  /** Floats that are added to the scores, beside a mask of bool. Broadcasts to [.., H, T, S]. */
  readonly bias?: Tensor | null;
  /** Query t sees the keys 0 to t + queryOffset only. */
  readonly causal?: boolean;
  /** Where causal, how many keys came before the first query: 0 by default. */
  readonly queryOffset?: number;
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
}

/**
 * softmax(scale q k^T + bias) v: q [.., H, T, D], k [.., K, S, D], v [.., K, S, E] -> [.., H, T, E]. Each of the K key
 * heads, a divisor of H, serves H / K query heads in a row. Queries that attend to nothing get 0.
 *
 * Computes in float32, in a kernel, and its gradient in two (three with that of a bias). Scores are never held, neither
 * here nor in the gradient: memory grows with T and S, not with their product. Masks, biases and the bits of dropout are
 * read where they are computed from: those of places (`arange`) take nothing. The gradient of the gradient holds all
 * scores, and so does attention of at most 64 queries in all to more than 256 keys.
 *
 * @throws ShapeError, OptionError, UnsupportedError
 */
export function scaledDotProductAttention(q: Tensor, k: Tensor, v: Tensor, options: AttentionOptions = {}): Tensor {
  const { operands, settings, dtype } = prepared([q, k, v], options);
  const whole: AttentionOperands = { ...operands, factor: factorOf(operands, options) };
  const result = isFused(whole) ? fusedAttention(whole, settings) : composedAttention(whole, settings);
  return result.reshape(operands.shape).cast(dtype);
}

function isFused({ q, k, v }: AttentionOperands): boolean {
  const [batch = 0, group = 0, queries = 0] = q.shape;
  if ([q, k, v].some(({ size }) => size === 0)) return false;
  return batch * group * queries > QUERIES_FEW || sizeOf(k.shape, 1) <= KEYS_MANY;
}

/** What dropout multiplies the weights with: the same numbers whether the scores are held or not. */
function factorOf({ q, k }: PreparedOperands, { dropoutP: p = 0, generator }: AttentionOptions): Tensor | null {
  if (p === 0) return null;
  const ones = filled([...q.shape.slice(0, 3), sizeOf(k.shape, 1)], 1);
  return dropout(ones, { p, ...(generator && { generator }) });
}

interface Prepared {
  readonly operands: PreparedOperands;
  readonly settings: AttentionSettings;
  /** Of the result. */
  readonly dtype: DType;
}

function prepared(inputs: readonly [q: Tensor, k: Tensor, v: Tensor], options: AttentionOptions): Prepared {
  const { bias = null, dropoutP = 0, queryOffset: offset = 0 } = options;
  checkDropout(dropoutP);
  if (!(Number.isInteger(offset) && offset >= 0)) {
    throw new OptionError(
      `scaledDotProductAttention: expected a queryOffset that is a whole number from 0, found ${offset}`,
    );
  }
  const [q] = inputs;
  const settings = {
    scale: options.scale ?? 1 / Math.sqrt(sizeOf(q.shape, q.shape.length - 1)),
    causal: options.causal ?? options.isCausal ?? false,
    offset,
  };
  const operands = attentionOperands(inputs, combinedMask(options.mask ?? options.attnMask ?? null, bias));
  return { operands, settings, dtype: isFloat(q.dtype) ? q.dtype : "float32" };
}

/**
 * What scaledDotProductAttention multiplies the values with, before dropout: q [.., H, T, D], k [.., K, S, D] ->
 * [.., H, T, S], all of it. @throws ShapeError, OptionError, UnsupportedError
 */
export function attentionWeights(q: Tensor, k: Tensor, options: AttentionOptions = {}): Tensor {
  const { operands, settings, dtype } = prepared([q, k, k], options);
  const shape = [...operands.shape.slice(0, -1), sizeOf(k.shape, k.shape.length - 2)];
  return attentionWeightsOf(operands, settings).reshape(shape).cast(dtype);
}
