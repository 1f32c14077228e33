/**
 * All-reduce of many arrays in few messages: arrays are put into buckets in a fixed order, and a bucket goes out as
 * soon as the last of its arrays is there, the first buckets before the later ones. So the gradients of a backward
 * pass travel while the rest is computed.
 */
import { assert } from "../../base/assert.ts";
import { OptionError } from "../../base/errors.ts";
import { deferred } from "../deferred.ts";
import type { Deferred } from "../deferred.ts";
import type { ReduceOptions } from "./group-verbs.ts";

type Floats = Float32Array<ArrayBuffer>;

/** The part of a group that buckets need. */
export interface Reducing {
  /** As of `Group`. */
  allReduce(values: Floats, options: ReduceOptions): Promise<Floats>;
}

/** How arrays are put into buckets. */
export interface BucketOptions {
  /** Elements of each array, in the order in which they get ready; the same on all members. */
  readonly lengths: readonly number[];
  /** A bucket is full at this size. 1 MiB if left out. */
  readonly bucketBytes?: number;
}

interface Bucket {
  readonly arrays: readonly number[];
  /** Where each array begins. */
  readonly offsets: readonly number[];
  readonly values: Floats;
  missing: number;
  readonly result: Deferred<Floats>;
}

const BUCKET_BYTES = 1024 * 1024;

/** One round of arrays. Operations are numbered from `options.operation` on, one a bucket. */
export class Buckets {
  readonly #group: Reducing;
  readonly #options: ReduceOptions;
  readonly #buckets: readonly Bucket[];
  readonly #bucketOf: readonly number[];
  readonly #lengths: readonly number[];

  constructor(group: Reducing, { lengths, bucketBytes = BUCKET_BYTES }: BucketOptions, options: ReduceOptions) {
    this.#group = group;
    this.#options = options;
    this.#lengths = lengths;
    this.#buckets = planBuckets(lengths, bucketBytes).map((arrays) => bucketOf(arrays, lengths));
    this.#bucketOf = this.#buckets.flatMap(({ arrays }, bucket) => arrays.map(() => bucket));
    // Nobody may be there yet to hear of a failure; `take` tells it.
    for (const { result } of this.#buckets) result.promise.catch(() => {});
  }

  /** How many operations a round takes. */
  get count(): number {
    return this.#buckets.length;
  }

  /** Hands an array over; its values are copied. */
  put(array: number, values: Floats): void {
    const bucket = this.#bucketFor(array);
    if (values.length !== this.#lengths[array]) {
      throw new OptionError(`buckets: expected ${this.#lengths[array]} values for ${array}, found ${values.length}`);
    }
    bucket.values.set(values, bucket.offsets[bucket.arrays.indexOf(array)] ?? 0);
    bucket.missing -= 1;
    assert(bucket.missing >= 0, `buckets: array ${array} came twice`);
    if (bucket.missing === 0) this.#reduce(bucket);
  }

  /** The sum of an array over all members, when its bucket is done. */
  async take(array: number): Promise<Floats> {
    const bucket = this.#bucketFor(array);
    const sum = await bucket.result.promise;
    const from = bucket.offsets[bucket.arrays.indexOf(array)] ?? 0;
    return sum.slice(from, from + (this.#lengths[array] ?? 0));
  }

  #bucketFor(array: number): Bucket {
    const bucket = this.#buckets[this.#bucketOf[array] ?? -1];
    if (bucket === undefined) throw new OptionError(`buckets: expected one of ${this.#lengths.length}, found ${array}`);
    return bucket;
  }

  #reduce(bucket: Bucket): void {
    const at = this.#buckets.indexOf(bucket);
    const { operation, priority = 0 } = this.#options;
    const options = { ...this.#options, operation: operation + at, priority: priority + at };
    this.#group.allReduce(bucket.values, options).then(bucket.result.resolve, bucket.result.reject);
  }
}

/** Neighbouring arrays together until a bucket is full; at least one each. */
export function planBuckets(lengths: readonly number[], bucketBytes: number): number[][] {
  const buckets: number[][] = [];
  let bytes = Infinity;
  for (const [array, length] of lengths.entries()) {
    if (bytes + 4 * length > bucketBytes) {
      buckets.push([]);
      bytes = 0;
    }
    buckets.at(-1)?.push(array);
    bytes += 4 * length;
  }
  return buckets;
}

function bucketOf(arrays: readonly number[], lengths: readonly number[]): Bucket {
  let length = 0;
  const offsets = arrays.map((array) => (length += lengths[array] ?? 0) - (lengths[array] ?? 0));
  return { arrays, offsets, values: new Float32Array(length), missing: arrays.length, result: deferred<Floats>() };
}
