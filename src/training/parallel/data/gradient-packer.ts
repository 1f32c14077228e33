/**
 * Gradients made smaller for the wire, where they are computed: what a member sends of its sum is packed on its device,
 * bit by bit as the codec of `network` would pack it, and read back once a bucket. Owners unpack and add up on theirs, in
 * float32 (`packed-sums.ts`), and the new parameters go out as they are, so that all members still have the same bits.
 *
 * What the packing left out of a contribution is added to the next one (error feedback, as `withErrorFeedback`), place by
 * place of the flat gradient: shards may have other owners by then. It is on the device alone: a member that leaves takes
 * what it owes with it. Sums go by slots, then by ranks.
 */
import type { Runtime } from "../../../compute/runtime/runtime.ts";
import { SHARDS } from "../../../network/wire/state-record.ts";
import { gradientBuckets } from "./gradient-buckets.ts";
import { DEVICE_CODECS, type DeviceCodec, type GradientCodec } from "./gradient-codec.ts";
import { PackedBucket } from "./packed-bucket.ts";
import type { Owners } from "./packed-layout.ts";
import { PackedSums } from "./packed-sums.ts";

/** For whom a step's gradients are packed. */
export interface StepPlan extends Owners {
  readonly step: number;
  /** Of the first bucket; the others have the next ones. */
  readonly operation: number;
}

export interface PackerOptions {
  readonly codec: GradientCodec;
  /** Elements of the gradient. */
  readonly count: number;
  /** Slots of a step: each counts its share. */
  readonly slots: number;
  /** Says how int8 and int4 round, with the operation and the rank. */
  readonly seed: number;
}

/** One member's, for one run. */
export class GradientPacker {
  readonly buckets: readonly PackedBucket[];
  /** Over members. */
  readonly sums: PackedSums;
  readonly #codec: DeviceCodec;
  readonly #seed: number;
  #plan: StepPlan | null = null;

  constructor(runtime: Runtime, { codec: name, count, slots, seed }: PackerOptions) {
    const codec = DEVICE_CODECS[name];
    this.#codec = codec;
    this.#seed = seed;
    this.buckets = gradientBuckets(count).map(
      (bucket) => new PackedBucket({ runtime, bucket, total: count, weight: 1 / slots, codec }),
    );
    this.sums = new PackedSums({ runtime, buckets: this.buckets, total: count, codec });
  }

  /** Before the first slot of a step. One that is done again begins as before; one that was rolled back, anew. */
  begin(plan: StepPlan): void {
    const before = this.#plan?.step ?? -1;
    for (const [at, bucket] of this.buckets.entries()) {
      if (plan.step > before) bucket.turn();
      if (plan.step < before) bucket.forget();
      bucket.begin(plan, { operation: plan.operation + at, seed: this.#seed });
    }
    this.#plan = plan;
  }

  /** Compiles what adds up what others packed. */
  async warmUp(): Promise<void> {
    const owners = { owner: Array<number>(SHARDS).fill(0), size: 2, rank: 0 };
    for (const [at, { array }] of this.buckets.entries()) {
      const messages = new Map([[1, new Uint8Array(this.#codec.bytes(array.count))]]);
      await this.sums.add({ at, owners, givers: [0, 1], messages });
    }
    await this.sums.own(owners);
  }
}
