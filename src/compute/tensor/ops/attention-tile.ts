/** A tile of attention: some queries and some keys, what masks their scores, and which of their weights are dropped. */
import { random } from "../../compiler/graph.ts";
import type { Shape } from "../../compiler/ir.ts";
import { defineOp } from "../op.ts";
import { filled } from "../operands.ts";
import { sizeOf } from "../shapes.ts";
import { iotaTensor } from "../source.ts";
import type { Tensor } from "../tensor.ts";
import { MASKED } from "./attention-operands.ts";
import { after, stored } from "./barrier.ts";
import { where } from "./where.ts";

/** A part of an axis. */
export interface Span {
  readonly start: number;
  readonly length: number;
}

/** Axis of `size` in parts of at most `length`. */
function spansOf(size: number, length: number): Span[] {
  return Array.from({ length: Math.ceil(size / length) }, (_, i) => {
    return { start: i * length, length: Math.min(length, size - i * length) };
  });
}

/** All that attention reads, in the form of `AttentionOperands`. */
export interface AttentionInputs {
  readonly q: Tensor;
  readonly k: Tensor;
  readonly v: Tensor;
  readonly mask: Tensor | null;
  /** What the bits of dropout are drawn with: uint32 [2]; null for none. */
  readonly key: Tensor | null;
}

/** Some queries, those of a group as rows of one matrix. */
export interface QueryBlock {
  readonly rows: Span;
  /** [B, G * rows, D] */
  readonly q: Tensor;
}

/** Some keys. */
export interface KeyBlock {
  readonly columns: Span;
  /** [B, columns, D] */
  readonly k: Tensor;
  /** [B, columns, E] */
  readonly v: Tensor;
}

/** What a tile works on. All parts are stored, so that tiles of the same sizes are the same kernels. */
export interface AttentionTile extends QueryBlock, KeyBlock {
  /** [B, G, rows, columns]: of its scores. */
  readonly shape: Shape;
  /** [B or 1, G or 1, rows or 1, columns or 1] */
  readonly mask: Tensor | null;
  /** Another for each tile. */
  readonly key: Tensor | null;
}

export function queryBlocks({ q }: AttentionInputs, length: number): QueryBlock[] {
  return spansOf(sizeOf(q.shape, 2), length).map((rows) => ({ rows, q: rowsOf(q, rows) }));
}

export function keyBlocks({ k, v }: AttentionInputs, length: number): KeyBlock[] {
  return spansOf(sizeOf(k.shape, 1), length).map((columns) => {
    return { columns, k: stored(partOf(k, 1, columns)), v: stored(partOf(v, 1, columns)) };
  });
}

/** The tile of a block of queries and one of keys; nothing of it is computed until all of `before` is. */
export function tileOf(
  { q, mask, key }: AttentionInputs,
  queries: QueryBlock,
  { columns, k, v }: KeyBlock,
  before: readonly Tensor[],
): AttentionTile {
  const { rows } = queries;
  const part = mask && partOf(partOf(mask, 2, rows), 3, columns);
  return {
    rows,
    columns,
    shape: [sizeOf(q.shape, 0), sizeOf(q.shape, 1), rows.length, columns.length],
    q: before.reduce(after, queries.q),
    k,
    v,
    mask: part && stored(part),
    key: key && stored(key.add(filled([2], numberOf(rows, columns), "uint32").mul(iotaTensor([2], 0).eq(0)))),
  };
}

/** Rows of [B, G, T, n] as one matrix for each of B: [B, G * rows, n]. */
export function rowsOf(x: Tensor, rows: Span): Tensor {
  const [batch = 0, group = 0, , width = 0] = x.shape;
  return stored(partOf(x, 2, rows).reshape([batch, group * rows.length, width]));
}

/** A part of an axis; all of one that repeats. */
export function partOf(x: Tensor, axis: number, { start, length }: Span): Tensor {
  return x.shape[axis] === 1 ? x : x.narrow(axis, start, length);
}

/** Goes into the key's first word: the generator changes the second one. Odd times a number is one to one. */
function numberOf(rows: Span, columns: Span): number {
  return Math.imul(rows.start * 65_536 + columns.start + 1, 0x9e37_79b1) >>> 0;
}

/**
 * [B, G, rows, columns] as [B, columns, G, rows], the form that the gradient works in: sums over queries are then
 * products of matrices as they lie.
 */
export function transposedTile(x: Tensor): Tensor {
  return x.permute([0, 3, 1, 2]);
}

/** `scores` with the mask, and where `causal` without keys that come after their query; both forms are known. */
export function maskScores(scores: Tensor, tile: AttentionTile, causal: boolean, isTransposed: boolean): Tensor {
  const form = (x: Tensor): Tensor => (isTransposed ? transposedTile(x) : x);
  const { rows, columns, mask } = tile;
  let out = scores;
  if (mask !== null) out = mask.dtype === "bool" ? where(form(mask), out, MASKED) : out.add(form(mask));
  if (!causal || columns.start + columns.length - 1 <= rows.start) return out;
  const places = [1, 1, rows.length, columns.length];
  const isLater = iotaTensor(places, 3)
    .add(columns.start - rows.start)
    .gt(iotaTensor(places, 2));
  return where(form(isLater), MASKED, out);
}

const words = defineOp<[Tensor], { shape: Shape }>({
  name: "random",
  forward: ([key], { shape }) => random(key, shape),
  backward: null,
});

/** `weights` with the share `p` of them 0 and the others larger for it: the same ones in both forms. */
export function dropWeights(weights: Tensor, { shape, key }: AttentionTile, p: number, isTransposed: boolean): Tensor {
  if (key === null) return weights;
  const isKept = words([key], { shape }).ge(Math.min(Math.round(p * 2 ** 32), 2 ** 32 - 1));
  return where(isTransposed ? transposedTile(isKept) : isKept, weights.mul(1 / (1 - p)), 0);
}
