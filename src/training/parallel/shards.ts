/**
 * Cutting a flat vector into the fixed number of virtual shards, and laying it out by owner for the collectives.
 *
 * Shard s covers elements [s * size, (s + 1) * size), the last ones shorter or empty. In *owner order* the shards of
 * rank 0 come first, in shard order, then those of rank 1, ...: each owner's part is contiguous.
 */
import { SHARDS } from "../../network/wire/state-record.ts";

/** Elements of a whole shard of a vector of `count` elements. */
function shardSize(count: number): number {
  return Math.ceil(count / SHARDS);
}

/** First element of `shard` and the one after its last. */
export function shardRange(count: number, shard: number): readonly [from: number, to: number] {
  const size = shardSize(count);
  return [Math.min(count, shard * size), Math.min(count, (shard + 1) * size)];
}

/** Who owns what, as offsets. */
export interface OwnerLayout {
  /** Shards of each rank, ascending. */
  readonly shards: readonly (readonly number[])[];
  /** Element offsets in owner order: rank r has [bounds[r], bounds[r + 1]). */
  readonly bounds: readonly number[];
}

/** The layout over `size` ranks of a vector of `count` elements, or of those of its shards that are [first, end). */
export function ownerLayout(
  count: number,
  owner: readonly number[],
  size: number,
  [first, end]: readonly [first: number, end: number] = [0, SHARDS],
): OwnerLayout {
  const shards: number[][] = Array.from({ length: size }, () => []);
  owner.slice(first, end).forEach((rank, at) => shards[rank]?.push(first + at));
  const bounds = [0];
  for (const list of shards) {
    const elements = list.reduce((sum, shard) => sum + length(count, shard), 0);
    bounds.push((bounds.at(-1) ?? 0) + elements);
  }
  return { shards, bounds };
}

/** Copies `ordered` (owner order) back into shard order. */
export function fromOwnerOrder(ordered: Float32Array, layout: OwnerLayout): Float32Array<ArrayBuffer> {
  const flat = new Float32Array(ordered.length);
  scatterShards(flat, layout.shards.flat(), ordered);
  return flat;
}

/** The elements of `shards`, one after another. */
export function gatherShards(flat: Float32Array, shards: readonly number[]): Float32Array<ArrayBuffer> {
  const total = shards.reduce((sum, shard) => sum + length(flat.length, shard), 0);
  const out = new Float32Array(total);
  let at = 0;
  for (const shard of shards) {
    const [from, to] = shardRange(flat.length, shard);
    out.set(flat.subarray(from, to), at);
    at += to - from;
  }
  return out;
}

/** The reverse of `gatherShards`, into `flat`. */
export function scatterShards(flat: Float32Array, shards: readonly number[], values: Float32Array): void {
  let at = 0;
  for (const shard of shards) {
    const [from, to] = shardRange(flat.length, shard);
    flat.set(values.subarray(at, at + to - from), from);
    at += to - from;
  }
}

function length(count: number, shard: number): number {
  const [from, to] = shardRange(count, shard);
  return to - from;
}
