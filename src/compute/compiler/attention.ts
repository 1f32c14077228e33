/**
 * Nodes of attention: softmax(scale q k^T + mask) v and its gradients, whose scores are never stored.
 *
 * Inputs are q [B, G, T, D], k [B, S, D] and v [B, S, E]: B batches of key heads, each read by G query heads; then, as
 * each part says, what arrives and what an earlier part gave; then, where there are, a mask and a factor, [B, G, T, S]
 * with size 1 where they repeat. They are read place by place, as expressions: a mask of places or the random numbers of
 * dropout take no memory. A mask of bool says which keys are seen, one of floats is added to the scores; the factor
 * multiplies the weights after the softmax. A query that sees no key gets 0 (see `UNSEEN_SCORE`).
 */
import { assert, present } from "../../base/assert.ts";
import { ShapeError } from "../../base/errors.ts";
import type { Attention } from "../kernels/attention/attention.ts";
import { formatShape, sameShape } from "../layout/shape.ts";
import * as check from "./check.ts";
import type { AttentionPrimitive, Node, Shape } from "./ir.ts";

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
  for (const x of [q, k, v, ...more, ...(factor === null ? [] : [factor])]) check.checkDType(NAME, x, ["float32"]);
  if (mask !== null) check.checkDType(NAME, mask, ["bool", "float32"]);
  checkShapes(q, k, v);
  const [hasMask, hasFactor] = [mask !== null, factor !== null];
  const primitive: AttentionPrimitive = { kind: "attention", part, scale, causal, offset, hasMask, hasFactor };
  const inputs = [q, k, v, ...more, mask, factor].filter((x) => x !== null);
  const node: Node = { primitive, inputs, shape: [], dtype: "float32" };
  const sizes = attentionOf(node);
  for (const extra of [mask, factor]) if (extra !== null) checkRepeats(extra.shape, sizes);
  checkMore(part, more, sizes);
  return { ...node, shape: shapeOf(part, sizes, mask) };
}

const NAME = "attention";

function checkShapes(q: Node, k: Node, v: Node): void {
  const [batch, , , depth] = q.shape;
  const fits = q.shape.length === 4 && sameShape(k.shape, [batch ?? 0, k.shape[1] ?? 0, depth ?? 0]);
  const all = [q, k, v].flatMap(({ shape }) => shape);
  if (fits && sameShape(v.shape, [batch ?? 0, k.shape[1] ?? 0, v.shape[2] ?? 0]) && !all.includes(0)) return;
  const found = [q, k, v].map(({ shape }) => formatShape(shape)).join(", ");
  throw new ShapeError(`${NAME}: expected [B, G, T, D], [B, S, D] and [B, S, E] without empty axes, found ${found}`);
}

function checkRepeats(shape: Shape, { batch, group, queries, keys }: Attention): void {
  const whole = [batch, group, queries, keys];
  if (shape.length === 4 && shape.every((size, axis) => size === 1 || size === whole[axis])) return;
  throw new ShapeError(`${NAME}: expected a shape that repeats to ${formatShape(whole)}, found ${formatShape(shape)}`);
}

function checkMore(part: AttentionPrimitive["part"], more: readonly Node[], sizes: Attention): void {
  const { batch, group, queries, depth, width } = sizes;
  const rows = [batch, group, queries];
  const expected = [[...rows, width], part === "gradQuery" ? [...rows, width + 1] : [...rows, depth + 2]];
  for (const [i, { shape }] of more.entries()) {
    const wanted = expected[i] ?? [];
    if (sameShape(shape, wanted)) continue;
    throw new ShapeError(`${NAME} ${part}: expected ${formatShape(wanted)}, found ${formatShape(shape)}`);
  }
}

function shapeOf(part: AttentionPrimitive["part"], sizes: Attention, mask: Node | null): Shape {
  const { batch, group, queries, keys, depth, width } = sizes;
  switch (part) {
    case "forward":
      return [batch, group, queries, width + 1];
    case "gradQuery":
      return [batch, group, queries, depth + 2];
    case "gradKeyValue":
      return [batch, keys, depth + width];
    case "gradMask":
      return present(mask, "attention: a mask to differentiate by").shape;
  }
}

/** Sizes and options of a node of attention. */
export function attentionOf({ primitive, inputs }: Node): Attention {
  assert(primitive.kind === "attention", `attentionOf: expected a node of attention, found ${primitive.kind}`);
  const [q, k, v] = inputs;
  const [batch = 1, group = 1, queries = 1, depth = 1] = q?.shape ?? [];
  const { scale, causal, offset } = primitive;
  return { batch, group, queries, keys: k?.shape[1] ?? 1, depth, width: v?.shape[2] ?? 1, scale, causal, offset };
}

/** The inputs that are read for each pair of a query and a key: the mask and the factor. */
export function pairInputs({ primitive, inputs }: Node): { readonly mask: Node | null; readonly factor: Node | null } {
  if (primitive.kind !== "attention") return { mask: null, factor: null };
  const { hasMask, hasFactor } = primitive;
  const factor = hasFactor ? (inputs.at(-1) ?? null) : null;
  return { mask: hasMask ? (inputs.at(hasFactor ? -2 : -1) ?? null) : null, factor };
}
