/** What examples come from: by index, one after another, or already in batches. */

/** Examples by index. `get` gives the same example for the same index every time. */
export interface Dataset<T> {
  /** Examples. */
  readonly length: number;
  /** Example `index`, from 0. */
  get(index: number): T | Promise<T>;
}

/** Examples in an order of their own, for sources without an index: a stream, a generator. */
export interface IterableDataset<T> {
  /** A pass over the examples. The same ones in the same order for the same `epoch`, if training is to be resumable. */
  iterate(epoch: number): Iterable<T> | AsyncIterable<T>;
}

/** Examples that come as finished batches: collated elsewhere (a worker), or sliced out of large arrays at once. */
export interface BatchDataset<B> {
  /** Examples. */
  readonly length: number;
  /** The batch of the examples at `indices`, in that order. */
  getBatch(indices: readonly number[], signal?: AbortSignal): B | Promise<B>;
}
