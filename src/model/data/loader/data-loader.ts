/**
 * Batches of a dataset, epoch after epoch: shuffled by seed, loaded ahead within bounds, resumable at any step.
 *
 * The order is a function of (seed, epoch) alone. `state()` is the place after the newest batch handed out; a loader of
 * the same options that resumes there gives exactly the batches that would have come.
 */
import { OptionError } from "../../../base/errors.ts";
import type { BatchDataset, Dataset, IterableDataset } from "../dataset/dataset.ts";
import { batchesInOrder } from "./batches-in-order.ts";
import { collate } from "./collate.ts";
import type { Collated } from "./collate.ts";
import { exampleBatches, indexedBatches, streamedBatches } from "./batch-source.ts";
import type { BatchSource } from "./batch-source.ts";
import { BatchSampler, RandomSampler, SequentialSampler } from "./samplers.ts";
import type { IndexBatches, Sampler } from "./samplers.ts";
import { toTensors } from "./to-tensors.ts";
import type { TensorsOf } from "./to-tensors.ts";

/** Options of `DataLoader`. */
export interface DataLoaderOptions<T, B> {
  /** Examples in a batch; 1 by default. */
  readonly batchSize?: number;
  /** A new random order each epoch. Off by default. */
  readonly shuffle?: boolean;
  /** Names the orders; 0 by default. */
  readonly seed?: number | string;
  /** Leave out a last batch that is not full. Off by default. */
  readonly dropLast?: boolean;
  /** Another order than `shuffle`'s. */
  readonly sampler?: Sampler;
  /** Other batches than `batchSize`, `shuffle`, `sampler` and `dropLast` make. */
  readonly batchSampler?: IndexBatches;
  /** Examples into a batch; `collate` by default. */
  readonly collate?: (examples: T[]) => B;
  /** Batches loaded ahead of the one asked for, at most; 2 by default. */
  readonly prefetch?: number;
  /** Where to begin: the `state()` of an earlier loader. */
  readonly state?: DataLoaderState;
  /** Ends iterations with an AbortedError. */
  readonly signal?: AbortSignal;
}

/** A place in the data: plain JSON, to be saved with a checkpoint. */
export interface DataLoaderState {
  readonly epoch: number;
  /** Batches of the epoch that have been handed out. */
  readonly position: number;
  /** What the order depends on: checked when training resumes. */
  readonly seed: number | string;
  readonly batchSize: number;
  /** Examples; null for those without an index. */
  readonly examples: number | null;
}

type AnyDataset<T, B> = Dataset<T> | IterableDataset<T> | BatchDataset<B>;

/**
 * Batches of a dataset, epoch after epoch: shuffled by seed, loaded ahead, resumable at any step. Iterating over it
 * gives one epoch as tensors. The order is a function of seed and epoch alone.
 */
export class DataLoader<T, B = Collated<T>> implements AsyncIterable<TensorsOf<B>> {
  readonly #dataset: AnyDataset<T, B>;
  readonly #options: DataLoaderOptions<T, B>;
  readonly #batches: IndexBatches | null;
  readonly #batchSize: number;
  readonly #prefetch: number;
  #epoch = 0;
  #position = 0;
  /** The next iteration goes on at the position, rather than with the next epoch. */
  #goesOn = true;
  /** Counts iterations and resumptions: only the newest has a place that is saved. */
  #newest = 0;

  /** @throws OptionError for options that contradict each other, or a state of other data */
  constructor(dataset: AnyDataset<T, B>, options: DataLoaderOptions<T, B> = {}) {
    this.#dataset = dataset;
    this.#options = options;
    this.#batchSize = options.batchSampler === undefined ? (options.batchSize ?? 1) : 0;
    this.#prefetch = options.prefetch ?? 2;
    checkOptions(dataset, options);
    this.#batches = "iterate" in dataset ? null : indexBatches(dataset.length, options);
    if (options.state !== undefined) this.resume(options.state);
  }

  /** Batches in an epoch. @throws OptionError for a dataset without a length */
  get length(): number {
    if (this.#batches === null) {
      throw new OptionError("DataLoader: expected a dataset with a length, found one that can only be iterated");
    }
    return this.#batches.length;
  }

  /** The epoch at hand, from 0. */
  get epoch(): number {
    return this.#epoch;
  }

  /** The place after the newest batch handed out. Batches loaded ahead do not count. */
  state(): DataLoaderState {
    const seed = this.#options.seed ?? 0;
    return { epoch: this.#epoch, position: this.#position, ...this.#identity(), seed };
  }

  /**
   * Makes the next iteration go on at `state`. Iterations that are under way are not changed.
   * @throws OptionError for a state that is none, or of another dataset, seed or batch size
   */
  resume(state: DataLoaderState): void {
    const { epoch, position } = state;
    const isPlace = [epoch, position].every((value) => Number.isInteger(value) && value >= 0);
    if (!isPlace || (this.#batches !== null && position > this.#batches.length)) {
      throw new OptionError(`DataLoader: expected a place in the data, found epoch ${epoch}, position ${position}`);
    }
    const own = { ...this.#identity(), seed: this.#options.seed ?? 0 };
    for (const key of ["seed", "batchSize", "examples"] as const) {
      if (state[key] !== own[key]) {
        throw new OptionError(`DataLoader: expected a state with ${key} ${own[key]}, found ${state[key]}`);
      }
    }
    this.#epoch = epoch;
    this.#position = position;
    this.#goesOn = true;
    this.#newest += 1;
  }

  /** An epoch, as tensors; what is left of it, after `resume`. One that was broken off is not gone on with. */
  async *[Symbol.asyncIterator](): AsyncGenerator<TensorsOf<B>, void, undefined> {
    for await (const batch of this.hostBatches()) yield toTensors(batch);
  }

  /** As iterating over the loader itself, with host values: what compiled functions take directly. */
  hostBatches(signal: AbortSignal | undefined = this.#options.signal): AsyncGenerator<B, void, undefined> {
    if (!this.#goesOn) {
      this.#epoch += 1;
      this.#position = 0;
    }
    this.#goesOn = false;
    this.#newest += 1;
    return this.#iterate(this.#newest, this.#epoch, this.#position, signal);
  }

  async *#iterate(
    self: number,
    epoch: number,
    from: number,
    signal: AbortSignal | undefined,
  ): AsyncGenerator<B, void, undefined> {
    const source = this.#source(epoch, from);
    let position = from;
    for await (const batch of batchesInOrder(source, from, { prefetch: this.#prefetch, signal })) {
      position += 1;
      if (self === this.#newest) this.#position = position;
      yield batch;
    }
    if (self !== this.#newest) return;
    this.#epoch += 1;
    this.#position = 0;
    this.#goesOn = true;
  }

  #source(epoch: number, from: number): BatchSource<B> {
    const dataset = this.#dataset;
    const toBatch = this.#options.collate ?? (collate as unknown as (examples: T[]) => B);
    if ("iterate" in dataset) {
      const { dropLast = false } = this.#options;
      return streamedBatches(dataset, { epoch, batchSize: this.#batchSize, dropLast, skip: from, collate: toBatch });
    }
    const batches = this.#batches as IndexBatches;
    const isReady = "getBatch" in dataset && this.#options.collate === undefined;
    if (isReady) return indexedBatches(dataset, batches.length, batches.batches(epoch));
    return exampleBatches(dataset as Dataset<T>, batches.length, batches.batches(epoch), toBatch);
  }

  #identity(): Pick<DataLoaderState, "batchSize" | "examples"> {
    return { batchSize: this.#batchSize, examples: "iterate" in this.#dataset ? null : this.#dataset.length };
  }
}

function indexBatches<T, B>(examples: number, options: DataLoaderOptions<T, B>): IndexBatches {
  if (options.batchSampler !== undefined) return options.batchSampler;
  const { seed = 0, shuffle = false, batchSize = 1, dropLast = false } = options;
  const usual = shuffle ? new RandomSampler(examples, { seed }) : new SequentialSampler(examples);
  return new BatchSampler(options.sampler ?? usual, batchSize, dropLast);
}

function checkOptions<T, B>(dataset: AnyDataset<T, B>, options: DataLoaderOptions<T, B>): void {
  const { batchSampler, sampler, shuffle, batchSize = 1, dropLast, prefetch = 2 } = options;
  const refuse = (expected: string, found: string): never => {
    throw new OptionError(`DataLoader: expected ${expected}, found ${found}`);
  };
  if (!Number.isInteger(batchSize) || batchSize < 1) refuse("a batchSize of at least 1", String(batchSize));
  if (!Number.isInteger(prefetch) || prefetch < 0) refuse("a prefetch of at least 0", String(prefetch));
  if (sampler !== undefined && shuffle === true) refuse("a sampler or shuffle", "both");
  const hasSize = options.batchSize !== undefined || shuffle === true || sampler !== undefined || dropLast === true;
  if (batchSampler !== undefined && hasSize) {
    refuse("batchSampler alone", "it beside batchSize, shuffle, sampler or dropLast");
  }
  const isStream = "iterate" in dataset;
  if (isStream && (shuffle === true || sampler !== undefined || batchSampler !== undefined)) {
    refuse("no order for a dataset that can only be iterated", "shuffle, sampler or batchSampler");
  }
  if (!isStream && !("get" in dataset) && options.collate !== undefined) {
    refuse("no collate for a dataset of finished batches", "one");
  }
}
