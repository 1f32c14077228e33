/**
 * Gradients leave in buckets, so that they travel while the rest of the backward pass is computed: the flat gradient is
 * cut at shards' borders, and its end, which a backward pass finishes first, goes first. The cut depends on the number of
 * parameters alone, so that all members make the same one; what is added up, and in which order, does not depend on it.
 * A member sends its part of the gradient once for each block that its slots make (`slot-tree.ts`).
 */
import { assert, present } from "../../../base/assert.ts";
import { concatBytes, bytesOf, floatsOf, type Bytes } from "../../../base/bytes.ts";
import type { OperationOptions } from "../../../network/collectives/operation.ts";
import type { Group } from "../../../network/collectives/group.ts";
import { SHARDS } from "../../../network/wire/state-record.ts";
import { gatherShards, ownerLayout, shardRange, type OwnerLayout } from "../shards.ts";
import type { SlotPacking } from "./data-parallel-step.ts";
import type { StepPlan } from "./gradient-packer.ts";
import type { PackedMessages } from "./packed-bucket.ts";
import { slotBlocks, totalOf, type BlockSum, type SlotBlock } from "./slot-tree.ts";

/** A part of the flat gradient: elements [from, to), which are shards [firstShard, endShard). */
export interface GradientBucket {
  readonly from: number;
  readonly to: number;
  readonly firstShard: number;
  readonly endShard: number;
}

/**
 * A member that is ahead pushes up to 1 MiB of each, of parameters and of replicas, and muxes keep 16 MiB of a peer that
 * came early.
 */
export const BUCKETS_MAX = 10;
/** Below this a message costs more than what it hides. */
const BUCKET_BYTES_MIN = 64 * 1024;

/** The buckets of `count` elements, in the order in which they leave. The last one has nothing to be hidden behind. */
export function gradientBuckets(count: number): GradientBucket[] {
  const buckets = Math.min(BUCKETS_MAX, Math.max(1, Math.floor((4 * count) / BUCKET_BYTES_MIN)));
  const borders = Array.from({ length: buckets + 1 }, (_, at) => SHARDS - Math.round((SHARDS * at) / buckets));
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
  /** The slots that each rank's sums are of; ranks without any are left out. */
  readonly givers: ReadonlyMap<number, readonly number[]>;
  readonly step: number;
  /** Adds up what others packed, if all members pack; null if none does. */
  readonly packing: Pick<SlotPacking, "add" | "own"> | null;
  /** The first of as many operations as there are buckets. */
  readonly options: OperationOptions;
}

/** Reduce-scatters a step's gradient, bucket by bucket. */
export class GradientExchange {
  readonly buckets: readonly GradientBucket[];
  readonly #exchange: ExchangeOptions;
  /** Own elements of each bucket; null for what is added up where it was packed. */
  readonly #reduced: Promise<Float32Array<ArrayBuffer> | null>[] = [];

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

  /** Sends the next bucket of own sums, one a block of own slots, which must not change there any more. */
  send(sums: readonly BlockSum[]): void {
    const { packing } = this.#exchange;
    assert(packing === null || sums.length === 0, "gradients: expected what is sent to be packed, as all members pack");
    if (packing === null) this.#add(this.#exchangeSums(sums));
    else this.sendPacked(new Map());
  }

  /** Sends what has been packed of the next bucket. */
  sendPacked(messages: PackedMessages): void {
    this.#add(this.#exchangePacked(messages));
  }

  #add(reduced: Promise<Float32Array<ArrayBuffer> | null>): void {
    reduced.catch(() => {}); // Whoever asks for the own part is told.
    this.#reduced.push(reduced);
  }

  /** A message goes to each owner, which adds them up in the order of ranks. */
  async #exchangePacked(outgoing: PackedMessages): Promise<null> {
    const { group, packing, options } = this.#exchange;
    const at = this.#reduced.length;
    const givers = [...this.#exchange.givers.keys()];
    const incoming = this.#incoming(lengthIn(this.#layout(), group.rank));
    const messages = await group.exchange(outgoing, incoming, this.#numbered());
    const { signal } = options;
    await present(packing, "gradients: what adds up").add({ at, owners: this.plan, givers, messages, signal });
    return null;
  }

  /** A sum a block goes to each owner, which adds them up in the order of the tree. */
  async #exchangeSums(sums: readonly BlockSum[]): Promise<Float32Array<ArrayBuffer>> {
    const { group, givers } = this.#exchange;
    const layout = this.#layout();
    const { shards } = layout;
    const partOf = (rank: number): BlockSum[] =>
      sums.map((sum) => ({ ...sum, values: gatherShards(sum.values, shards[rank] ?? []) }));
    const owners = [...shards.keys()].filter((rank) => rank !== group.rank && lengthIn(layout, rank) > 0);
    const outgoing = new Map(
      sums.length === 0
        ? []
        : owners.map((rank) => [rank, concatBytes(partOf(rank).map(({ values }) => bytesOf(values)))] as const),
    );
    const length = lengthIn(layout, group.rank);
    const incoming = this.#incoming(length);
    const own = partOf(group.rank);
    const arrived = await group.exchange(outgoing, incoming, this.#numbered());
    const others = incoming.flatMap((rank) =>
      cutSums(
        rank,
        slotBlocks(givers.get(rank) ?? []),
        length,
        present(arrived.get(rank), "gradients: sums of a rank"),
      ),
    );
    return totalOf([...own, ...others]) ?? new Float32Array(length);
  }

  /** From whom something comes of a bucket of which `length` elements are own. */
  #incoming(length: number): number[] {
    const { group, givers } = this.#exchange;
    return length === 0 ? [] : [...givers.keys()].filter((rank) => rank !== group.rank);
  }

  #numbered(): OperationOptions {
    const { options } = this.#exchange;
    const at = this.#reduced.length;
    return { ...options, operation: options.operation + at, priority: at };
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
    const { packing } = this.#exchange;
    if (packing !== null) return packing.own(this.plan);
    return floatsOf(concatBytes(parts.reverse().map((part) => bytesOf(present(part, "gradients: a sum")))));
  }
}

/** Elements of a rank. */
function lengthIn({ bounds }: OwnerLayout, rank: number): number {
  return (bounds[rank + 1] ?? 0) - (bounds[rank] ?? 0);
}

/** What `rank` sent: `length` elements of each of its blocks. */
function cutSums(rank: number, blocks: readonly SlotBlock[], length: number, bytes: Bytes): BlockSum[] {
  const expected = 4 * length * blocks.length;
  assert(
    bytes.byteLength === expected,
    `gradients: expected ${expected} bytes of rank ${rank}, found ${bytes.byteLength}`,
  );
  return blocks.map((block, at) => ({
    ...block,
    values: floatsOf(bytes.slice(4 * length * at, 4 * length * (at + 1))),
  }));
}
