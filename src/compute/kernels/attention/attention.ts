/**
 * What the kernels of attention have in common: sizes, operands, and what a query sees of a key.
 *
 * Scores are never stored: a kernel goes along the keys (or queries) block by block with a running softmax (Milakov and
 * Gimelshein, "Online normalizer calculation for softmax", 2018; Dao et al., "FlashAttention", 2022), and the gradients
 * compute them again. Each sum has one owner, so there are no atomics, and two runs give the same bits.
 */
import { add, and, f32, i32, lessEqual, multiply, select } from "../../lang/build.ts";
import type { Expr } from "../../lang/kernel.ts";
import type { Operand } from "../grid.ts";

/** Far below any score, and finite, since WGSL promises no infinities: the score of a key that is not seen. */
export const MASKED_SCORE = -1e30;

/** Queries whose highest score is no higher than this see no key. */
export const UNSEEN_SCORE: number = MASKED_SCORE / 2;

/** softmax(scale q k^T + mask) v, for B batches of key heads, each read by G query heads. */
export interface Attention {
  /** B */
  readonly batch: number;
  /** G */
  readonly group: number;
  /** T */
  readonly queries: number;
  /** S */
  readonly keys: number;
  /** D, of queries and keys */
  readonly depth: number;
  /** E, of values */
  readonly width: number;
  readonly scale: number;
  /** Query t sees the keys 0 to t + offset only. */
  readonly causal: boolean;
  readonly offset: number;
}

export interface AttentionReads {
  /** At [b, g, t, d]. */
  readonly q: Operand;
  /** At [b, s, d]. */
  readonly k: Operand;
  /** At [b, s, e]. */
  readonly v: Operand;
  /** At [b, g, t, s]: a bool says whether the key is seen, an f32 is added to the score. */
  readonly mask: Operand | null;
  /** At [b, g, t, s]: what the weight is multiplied with after the softmax, as dropout does. */
  readonly factor: Operand | null;
}

/** A pair of a query and a key. */
export interface Pair {
  readonly b: Expr;
  readonly g: Expr;
  readonly t: Expr;
  readonly s: Expr;
}

/** The score of a pair with this product of query and key. `exists` is false for a pair beyond the end. */
export function scoreOf(
  { scale, causal, offset }: Attention,
  { mask }: AttentionReads,
  { b, g, t, s }: Pair,
  product: Expr,
  exists: Expr,
): Expr {
  let score = multiply(product, f32(scale));
  let isSeen = exists;
  if (causal) isSeen = and(isSeen, lessEqual(s, add(t, i32(offset))));
  const masked = mask?.([b, g, t, s]);
  if (masked?.type === "bool") isSeen = and(isSeen, masked);
  else if (masked !== undefined) score = add(score, masked);
  return select(isSeen, score, f32(MASKED_SCORE));
}

/** `weight` as it is multiplied with the value. */
export function appliedWeight({ factor }: AttentionReads, { b, g, t, s }: Pair, weight: Expr): Expr {
  return factor === null ? weight : multiply(weight, factor([b, g, t, s]));
}
