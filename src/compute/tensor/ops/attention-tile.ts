/** A tile of attention: some queries and some keys, what masks their scores, and which of their weights are dropped. */
import { barrier, random } from "../../compiler/graph.ts";
import type { Shape } from "../../compiler/ir.ts";
import { defineOp } from "../op.ts";
import { filled } from "../operands.ts";
import { sizeOf } from "../shapes.ts";
import { iotaTensor } from "../source.ts";
import type { Tensor } from "../tensor.ts";
import { MASKED } from "./attention-operands.ts";
import { where } from "./where.ts";

/** A part of an axis. */
export interface Span {
  readonly start: number;
  readonly length: number;
}

/** Axis of `size` in parts of at most `length`. */
export function spansOf(size: number, length: number): Span[] {
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

/** The part of them that a tile works on, the queries of a group as rows of one matrix. */
export interface AttentionTile {
  readonly rows: Span;
  readonly columns: Span;
  /** [B, G, rows, columns]: of its scores. */
  readonly shape: Shape;
  /** [B, G * rows, D] */
  readonly q: Tensor;
  /** [B, columns, D] */
  readonly k: Tensor;
  /** [B, columns, E] */
  readonly v: Tensor;
  /** [B or 1, G or 1, rows or 1, columns or 1] */
  readonly mask: Tensor | null;
  /** Another for each tile. */
  readonly key: Tensor | null;
}

export function tileOf({ q, k, v, mask, key }: AttentionInputs, rows: Span, columns: Span): AttentionTile {
  return {
    rows,
    columns,
    shape: [sizeOf(q.shape, 0), sizeOf(q.shape, 1), rows.length, columns.length],
    q: rowsOf(q, rows),
    k: k.narrow(1, columns.start, columns.length),
    v: v.narrow(1, columns.start, columns.length),
    mask: mask && partOf(partOf(mask, 2, rows), 3, columns),
    key: key && key.add(filled([2], numberOf(rows, columns), "uint32").mul(iotaTensor([2], 0).eq(0))),
  };
}

/** Rows of [B, G, T, n] as one matrix for each of B: [B, G * rows, n]. */
export function rowsOf(x: Tensor, { start, length }: Span): Tensor {
  const [batch = 0, group = 0, , width = 0] = x.shape;
  return x.narrow(2, start, length).reshape([batch, group * length, width]);
}

/** `x` itself where the axis repeats. */
function partOf(x: Tensor, axis: number, { start, length }: Span): Tensor {
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

const barrierOp = defineOp<[Tensor, Tensor]>({
  name: "barrier",
  forward: ([x, before]) => barrier(x, before),
  backward: ({ grad }) => [grad, null],
});

/** `x`, of which nothing is computed until `before` has been: what one tile needs is gone when the next one starts. */
export function after(x: Tensor, before: Tensor): Tensor {
  return barrierOp([x, before], null);
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
