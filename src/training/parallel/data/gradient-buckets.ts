/**
 * Gradients leave in buckets, so that they travel while the rest of the backward pass is computed: the flat gradient is
 * cut at shards' borders, and its end, which a backward pass finishes first, goes first. The cut depends on the number of
 * parameters alone, so that all members make the same one; what is added up, and in which order, does not depend on it.
 */
import { assert } from "../../../base/assert.ts";
import { concatBytes, bytesOf, floatsOf } from "../../../base/bytes.ts";
import type { Codec } from "../../../network/collectives/codecs/codec.ts";
import type { OperationOptions } from "../../../network/collectives/operation.ts";
import type { Group } from "../../../network/collectives/group.ts";
import { SHARDS } from "../../../network/wire/state-record.ts";
import { gatherShards, ownerLayout, shardRange, type OwnerLayout } from "../shards.ts";
import type { PackedContribution, StepPlan } from "./gradient-packer.ts";

/** A part of the flat gradient: elements [from, to), which are shards [firstShard, endShard). */
export interface GradientBucket {
  readonly from: number;
  readonly to: number;
  readonly firstShard: number;
  readonly endShard: number;
}

/** A member that is ahead pushes up to 1 MiB of each, and 8 MiB in all are kept for one that is not there yet. */
export const BUCKETS_MAX = 6;
/** Below this a message costs more than what it hides. */
const BUCKET_BYTES_MIN = 64 * 1024;

/** The buckets of `count` elements, in the order in which they leave. The last is half as long: nothing is left to hide it. */
export function gradientBuckets(count: number): GradientBucket[] {
  const buckets = Math.min(BUCKETS_MAX, Math.max(1, Math.floor((4 * count) / BUCKET_BYTES_MIN)));
  const borders = Array.from({ length: buckets + 1 }, (_, at) =>
    at === buckets ? 0 : SHARDS - Math.round((SHARDS * 2 * at) / (2 * buckets - 1)),
  );
  return borders.slice(1).map((firstShard, bucket) => {
    const endShard = borders[bucket] ?? SHARDS;
    return { firstShard, endShard, from: shardRange(count, firstShard)[0], to: shardRange(count, endShard - 1)[1] };
  });
}

export interface ExchangeOptions {
  readonly group: Group;
  /** The rank that owns each shard. */
  readonly owner: readonly number[];
  /** Elements of the gradient. */
  readonly count: number;
  readonly contributors: readonly number[];
  readonly step: number;
  /** Unpacks what others packed, if all members pack; null if none does. */
  readonly codec: Codec | null;
  /** The first of as many operations as there are buckets. */
  readonly options: OperationOptions;
}

/** Reduce-scatters a step's gradient, bucket by bucket. */
export class GradientExchange {
  readonly buckets: readonly GradientBucket[];
  readonly #exchange: ExchangeOptions;
  readonly #reduced: Promise<Float32Array<ArrayBuffer>>[] = [];

  constructor(exchange: ExchangeOptions) {
    this.#exchange = exchange;
    this.buckets = gradientBuckets(exchange.count);
  }

  /** How many buckets have left. */
  get sent(): number {
    return this.#reduced.length;
  }

  /** For whoever packs what is sent. */
  get plan(): StepPlan {
    const { group, owner, step, options } = this.#exchange;
    return { step, owner, size: group.size, rank: group.rank, operation: options.operation };
  }

  /** Sends the next bucket of `gradient`, which must not change there any more; null from a rank that has none. */
  send(gradient: Float32Array | null): void {
    const { shards } = this.#layout();
    const values = gradient ? gatherShards(gradient, shards.flat()) : new Float32Array(0);
    this.#reduce(values, this.#exchange.codec);
  }

  /** Sends what has been packed of the next bucket. */
  sendPacked({ values, codec }: PackedContribution): void {
    this.#reduce(values, codec);
  }

  #reduce(values: Float32Array<ArrayBuffer>, codec: Codec | null): void {
    const { group, contributors, options } = this.#exchange;
    const at = this.#reduced.length;
    const numbered = {
      ...options,
      codec: codec ?? undefined,
      operation: options.operation + at,
      priority: at,
      algorithm: "direct",
    } as const;
    const reduced = group.reduceScatter(values, this.#layout().bounds, contributors, numbered);
    reduced.catch(() => {}); // Whoever asks for the own part is told.
    this.#reduced.push(reduced);
  }

  /** Of the next bucket. */
  #layout(): OwnerLayout {
    const { group, owner, count } = this.#exchange;
    const bucket = this.buckets[this.#reduced.length];
    assert(bucket !== undefined, `gradients: expected ${this.buckets.length} buckets, found one more`);
    return ownerLayout(count, owner, group.size, [bucket.firstShard, bucket.endShard]);
  }

  /** The sum of own shards, in their order, when all buckets have been sent and have come. */
  async own(): Promise<Float32Array<ArrayBuffer>> {
    const { length } = this.buckets;
    assert(this.sent === length, `gradients: expected ${length} buckets to be sent, found ${this.sent}`);
    const parts = await Promise.all(this.#reduced);
    return floatsOf(concatBytes(parts.reverse().map(bytesOf)));
  }
}
