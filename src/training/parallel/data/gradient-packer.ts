/**
 * Gradients made smaller for the wire, where they are computed: what a member sends of its sum is packed on its device,
 * bit by bit as the codec of `network` would pack it, and read back once a bucket. Owners add up in float32 and the new
 * parameters go out as they are, so that all members still have the same bits.
 *
 * What the packing left out of a contribution is added to the next one (error feedback, as `withErrorFeedback`), place by
 * place of the flat gradient: shards may have other owners by then. It is on the device alone: a member that leaves takes
 * what it owes with it. Sums go by slots, then by ranks.
 */
import { present } from "../../../base/assert.ts";
import type { Runtime } from "../../../compute/runtime/runtime.ts";
import type { Codec } from "../../../network/collectives/codecs/codec.ts";
import { withPackedContributions } from "../../../network/collectives/codecs/packed-contributions.ts";
import { gradientBuckets } from "./gradient-buckets.ts";
import { DEVICE_CODECS, type GradientCodec } from "./gradient-codec.ts";
import { PackedBucket, type PackedMessages } from "./packed-bucket.ts";
import type { Owners } from "./packed-layout.ts";

/** For whom a step's gradients are packed. */
export interface StepPlan extends Owners {
  readonly step: number;
  /** Of the first bucket; the others have the next ones. */
  readonly operation: number;
}

/** What a rank gives to the reduction of a bucket, and the codec that has it packed. */
export interface PackedContribution {
  /** In owner order: this rank's own part. The others' are in the codec, packed. */
  readonly values: Float32Array<ArrayBuffer>;
  readonly codec: Codec;
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
  /** The same on the host: what others packed is unpacked by it. */
  readonly codec: Codec;
  readonly buckets: readonly PackedBucket[];
  readonly #seed: number;
  #plan: StepPlan | null = null;

  constructor(runtime: Runtime, { codec: name, count, slots, seed }: PackerOptions) {
    const codec = DEVICE_CODECS[name];
    this.codec = codec.host(seed);
    this.#seed = seed;
    this.buckets = gradientBuckets(count).map(
      (bucket) => new PackedBucket({ runtime, bucket, total: count, weight: 1 / slots, codec }),
    );
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

  /** What goes to `reduceScatter` of what a bucket's readback gave. */
  contribution(at: number, { messages, own }: PackedMessages): PackedContribution {
    const { rank, operation } = present(this.#plan, "packing: a step that has begun");
    const { bounds } = present(this.buckets[at], "packing: a bucket");
    const values = new Float32Array(bounds.at(-1) ?? 0);
    values.set(own, bounds[rank]);
    return { values, codec: withPackedContributions(this.codec, operation + at, messages) };
  }
}
