/** Where a bucket's elements lie when they are in owner order, and which of them become which message. Pure. */
import type { PackedChunk } from "../../../compute/kernels/codecs/chunks.ts";
import { ownerLayout, shardRange } from "../shards.ts";
import type { GradientBucket } from "./gradient-buckets.ts";
import type { DeviceCodec } from "./gradient-codec.ts";

/** Elements [from, from + length) of the flat gradient, which come `at` elements into the bucket in owner order. */
export interface Segment {
  readonly from: number;
  readonly at: number;
  readonly length: number;
}

/** A bucket on a rank, under one map of owners. */
export interface PackedLayout {
  readonly segments: readonly Segment[];
  /** Elements of rank r are [bounds[r], bounds[r + 1]) in owner order. */
  readonly bounds: readonly number[];
  /** Those of this rank. */
  readonly own: readonly [from: number, to: number];
  /** Messages to others, each of whole words; ranks without elements have none. */
  readonly chunks: readonly PackedChunk[];
  /** Of all messages. */
  readonly words: number;
}

/** Who owns what, and for whom it is packed. */
export interface Owners {
  /** The rank that owns each shard. */
  readonly owner: readonly number[];
  readonly size: number;
  readonly rank: number;
}

/** Of a bucket of a gradient of `count` elements. */
export function packedLayout(
  bucket: GradientBucket,
  count: number,
  { owner, size, rank }: Owners,
  codec: Pick<DeviceCodec, "bytes" | "extent">,
): PackedLayout {
  const { shards, bounds } = ownerLayout(count, owner, size, [bucket.firstShard, bucket.endShard]);
  const chunks: PackedChunk[] = [];
  let words = 0;
  for (const [chunk, first] of bounds.slice(0, -1).entries()) {
    const length = (bounds[chunk + 1] ?? first) - first;
    if (chunk === rank || length === 0) continue;
    chunks.push({ first, count: length, chunk, word: words, extent: codec.extent(length) });
    words += Math.ceil(codec.bytes(length) / 4);
  }
  const own = [bounds[rank] ?? 0, bounds[rank + 1] ?? 0] as const;
  return { segments: segmentsOf(shards.flat(), count), bounds, own, chunks, words };
}

/** Neighbours that stay neighbours are one. */
function segmentsOf(shards: readonly number[], count: number): Segment[] {
  const segments: Segment[] = [];
  let at = 0;
  for (const shard of shards) {
    const [from, to] = shardRange(count, shard);
    const last = segments.at(-1);
    if (last && last.from + last.length === from) segments[segments.length - 1] = { ...last, length: to - last.from };
    else if (to > from) segments.push({ from, at, length: to - from });
    at += to - from;
  }
  return segments;
}
