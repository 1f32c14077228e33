/**
 * Attention by its formula: holds scores and weights, [B, G, T, S], for the gradient too. What it is made of can be
 * differentiated any number of times; where that is not asked for, `fused-attention.ts` takes less memory and time.
 */
import { sizeOf } from "../shapes.ts";
import { iotaTensor } from "../source.ts";
import type { Tensor } from "../tensor.ts";
import { MASKED, UNSEEN, type AttentionOperands, type AttentionSettings } from "./attention-operands.ts";
import { batchedMatmul } from "./matmul.ts";
import { where } from "./where.ts";

/** [B, G, T, E]. */
export function composedAttention(operands: AttentionOperands, settings: AttentionSettings): Tensor {
  const { v, factor } = operands;
  const weights = attentionWeightsOf(operands, settings);
  return overKeys(factor === null ? weights : weights.mul(factor), v);
}

/** [B, G, T, S]: before the factor; 0 for queries without keys. */
export function attentionWeightsOf(
  { q, k, mask }: Pick<AttentionOperands, "q" | "k" | "mask">,
  { scale, causal, offset }: AttentionSettings,
): Tensor {
  const [queries, keys] = [sizeOf(q.shape, 2), sizeOf(k.shape, 1)];
  const scores = withKeys(q, k).mul(scale);
  const isSeen = seenKeys(mask, causal ? offset : null, [queries, keys]);
  const biased = mask !== null && mask.dtype !== "bool" ? scores.add(mask) : scores;
  const seen = isSeen === null ? biased : where(isSeen, biased, MASKED);
  const weights = seen.softmax(3);
  return mask === null || keys === 0 ? weights : where(seen.max(3, { keepDim: true }).gt(UNSEEN), weights, 0);
}

/** What flows to the operands from dL/dO, [B, G, T, E]. */
export interface AttentionGradients {
  readonly q: Tensor;
  readonly k: Tensor;
  readonly v: Tensor;
  readonly mask: Tensor | null;
}

/** With w the weights and f the factor: ds = w (f dO v^T - sum(w f dO v^T)), dq = scale ds k, dk = scale ds^T q, dv = (w f)^T dO. */
export function composedGradients(
  operands: AttentionOperands,
  settings: AttentionSettings,
  grad: Tensor,
): AttentionGradients {
  const { q, k, v, mask, factor } = operands;
  const weights = attentionWeightsOf(operands, settings);
  const arriving = withKeys(grad, v);
  const used = factor === null ? arriving : arriving.mul(factor);
  const slopes = weights.mul(used.sub(weights.mul(used).sum(3, { keepDim: true })));
  const scaled = slopes.mul(settings.scale);
  const repeated = (mask?.shape ?? []).flatMap((size, axis) => (size === 1 ? [axis] : []));
  return {
    q: overKeys(scaled, k),
    k: overQueries(scaled, q),
    v: overQueries(factor === null ? weights : weights.mul(factor), grad),
    mask: mask?.requiresGrad === true ? slopes.sum(repeated, { keepDim: true }) : null,
  };
}

/** x [B, G, T, n] with y [B, S, n] -> [B, G, T, S]. */
function withKeys(x: Tensor, y: Tensor): Tensor {
  const [batch = 0, group = 0, queries = 0, width = 0] = x.shape;
  const product = batchedMatmul(x.reshape([batch, group * queries, width]), y.transpose(1, 2));
  return product.reshape([batch, group, queries, sizeOf(y.shape, 1)]);
}

/** weights [B, G, T, S] and y [B, S, n] -> [B, G, T, n]. */
function overKeys(weights: Tensor, y: Tensor): Tensor {
  const [batch = 0, group = 0, queries = 0, keys = 0] = weights.shape;
  const product = batchedMatmul(weights.reshape([batch, group * queries, keys]), y);
  return product.reshape([batch, group, queries, sizeOf(y.shape, 2)]);
}

/** weights [B, G, T, S] and x [B, G, T, n] -> [B, S, n]. */
function overQueries(weights: Tensor, x: Tensor): Tensor {
  const [batch = 0, group = 0, queries = 0, keys = 0] = weights.shape;
  const rows = weights.reshape([batch, group * queries, keys]);
  return batchedMatmul(rows.transpose(1, 2), x.reshape([batch, group * queries, sizeOf(x.shape, 3)]));
}

/** Where keys are seen, by a mask of bool and by place; null for everywhere. */
function seenKeys(mask: Tensor | null, offset: number | null, matrix: readonly number[]): Tensor | null {
  const past = offset === null ? null : iotaTensor(matrix, 1).le(iotaTensor(matrix, 0).add(offset));
  if (mask === null || mask.dtype !== "bool") return past;
  return past === null ? mask : mask.logicalAnd(past);
}
