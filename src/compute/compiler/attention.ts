/**
 * Nodes of attention: softmax(scale q k^T + mask) v and its gradients, whose scores are never stored.
 *
 * Inputs are q [B, G, T, D], k [B, S, D] and v [B, S, E]: B batches of key heads, each read by G query heads; then, as
 * each part says, what arrives and what an earlier part gave; then, where there are, a mask and a factor, [B, G, T, S]
 * with size 1 where they repeat. They are read place by place, as expressions: a mask of places or the random numbers of
 * dropout take no memory. A mask of bool says which keys are seen, one of floats is added to the scores; the factor
 * multiplies the weights after the softmax. A query that sees no key gets 0 (see `UNSEEN_SCORE`).
 */
import { inferAttention } from "./infer-attention.ts";
import type { AttentionPrimitive, Node } from "./ir.ts";

export interface AttentionOptions {
  readonly scale: number;
  readonly causal: boolean;
  readonly offset: number;
}

/** What all parts read. */
export interface AttentionNodes {
  readonly q: Node;
  readonly k: Node;
  readonly v: Node;
  readonly mask: Node | null;
  readonly factor: Node | null;
}

/** [B, G, T, E + 1]: the result, and the logarithm of the sum of e^score. @throws ShapeError, OptionError */
export function attention(nodes: AttentionNodes, options: AttentionOptions): Node {
  return make("forward", nodes, options, []);
}

/**
 * [B, G, T, D + 2]: dL/dq, the logarithm of the sum of e^score, and sum(dO * O).
 *
 * @param grad dL/dO, [B, G, T, E]
 * @param forward what `attention` gave for the same
 */
export function attentionQueryGradient(
  nodes: AttentionNodes,
  options: AttentionOptions,
  grad: Node,
  forward: Node,
): Node {
  return make("gradQuery", nodes, options, [grad, forward]);
}

/** [B, S, D + E]: dL/dk and dL/dv, from what `attentionQueryGradient` gave. */
export function attentionKeyValueGradient(
  nodes: AttentionNodes,
  options: AttentionOptions,
  grad: Node,
  queryGradient: Node,
): Node {
  return make("gradKeyValue", nodes, options, [grad, queryGradient]);
}

/** dL/dmask in the mask's shape, from what `attentionQueryGradient` gave. */
export function attentionMaskGradient(
  nodes: AttentionNodes,
  options: AttentionOptions,
  grad: Node,
  queryGradient: Node,
): Node {
  return make("gradMask", nodes, options, [grad, queryGradient]);
}

function make(
  part: AttentionPrimitive["part"],
  { q, k, v, mask, factor }: AttentionNodes,
  { scale, causal, offset }: AttentionOptions,
  more: readonly Node[],
): Node {
  const [hasMask, hasFactor] = [mask !== null, factor !== null];
  const primitive: AttentionPrimitive = { kind: "attention", part, scale, causal, offset, hasMask, hasFactor };
  const inputs = [q, k, v, ...more, mask, factor].filter((x) => x !== null);
  return { primitive, inputs, ...inferAttention(primitive, inputs) };
}
