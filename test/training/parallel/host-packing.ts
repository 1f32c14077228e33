/** What packing with error feedback has to give, on the host: one bucket's or a whole gradient's, place by place. */
import type { Bytes } from "../../../src/base/bytes.ts";
import type { Codec } from "../../../src/network/collectives/codecs/codec.ts";
import { gatherShards, ownerLayout, scatterShards } from "../../../src/training/parallel/shards.ts";
import type { GradientBucket } from "../../../src/training/parallel/data/gradient-buckets.ts";
import type { Owners } from "../../../src/training/parallel/data/packed-layout.ts";

export class HostPacking {
  readonly #codec: Codec;
  #before: Float32Array<ArrayBuffer>;
  #after: Float32Array<ArrayBuffer>;

  constructor(codec: Codec, count: number) {
    this.#codec = codec;
    this.#before = new Float32Array(count);
    this.#after = new Float32Array(count);
  }

  /** A step that comes after the last one. */
  turn(): void {
    this.#before = this.#after;
    this.#after = new Float32Array(this.#before.length);
  }

  /** Messages by rank, the own part as it is, and where each part begins. */
  pack(
    sum: Float32Array,
    { firstShard, endShard }: GradientBucket,
    { owner, size, rank }: Owners,
    operation: number,
  ): {
    readonly messages: ReadonlyMap<number, Bytes>;
    readonly own: Float32Array<ArrayBuffer>;
    readonly bounds: readonly number[];
  } {
    const { shards, bounds } = ownerLayout(sum.length, owner, size, [firstShard, endShard]);
    const messages = new Map<number, Bytes>();
    let own = new Float32Array(0);
    for (const [chunk, theirs] of shards.entries()) {
      const left = gatherShards(this.#before, theirs);
      const values = gatherShards(sum, theirs).map((value, at) => value + (left[at] ?? 0));
      if (chunk === rank) own = values;
      if (chunk === rank || values.length === 0) continue;
      const bytes = this.#codec.encode(values, { operation, rank, chunk, isOwn: true });
      const sent = this.#codec.decode(bytes);
      scatterShards(this.#after, theirs, values.map((value, at) => value - (sent[at] ?? 0))); // prettier-ignore
      messages.set(chunk, bytes);
    }
    return { messages, own, bounds };
  }
}
