/** Batch by number: where the loader's queue gets them from. */
import { AbortedError, CorruptDataError, OptionError, UnsupportedError } from "../../../base/errors.ts";
import type { BatchDataset, Dataset, IterableDataset } from "../dataset/dataset.ts";

/** Gives the batches of one epoch. */
export interface BatchSource<B> {
  /** Batch `position`, or undefined after the last. Called with growing positions. */
  load(position: number, signal: AbortSignal): Promise<{ readonly batch: B } | undefined>;
  /** No more will be asked for. */
  end(): void;
}

type IndicesOf = (batch: number) => number[];

/** Batches of a dataset that makes them itself. */
export function indexedBatches<B>(dataset: BatchDataset<B>, count: number, indicesOf: IndicesOf): BatchSource<B> {
  return {
    async load(position, signal) {
      if (position >= count) return undefined;
      return { batch: await dataset.getBatch(indicesOf(position), signal) };
    },
    end: () => {},
  };
}

/** Batches of single examples, collated. */
export function exampleBatches<T, B>(
  dataset: Dataset<T>,
  count: number,
  indicesOf: IndicesOf,
  collate: (examples: T[]) => B,
): BatchSource<B> {
  return {
    async load(position) {
      if (position >= count) return undefined;
      return { batch: collate(await examplesAt(dataset, indicesOf(position))) };
    },
    end: () => {},
  };
}

/** The examples at `indices`. @throws the dataset's error, with the index in it */
export function examplesAt<T>(dataset: Dataset<T>, indices: readonly number[]): Promise<T[]> {
  return Promise.all(
    indices.map(async (index) => {
      try {
        return await dataset.get(index);
      } catch (error) {
        throw datasetError(`example ${index}`, error);
      }
    }),
  );
}

interface StreamOptions<T, B> {
  readonly epoch: number;
  readonly batchSize: number;
  readonly dropLast: boolean;
  /** Batches that have been handed out before: read and left out. */
  readonly skip: number;
  readonly collate: (examples: T[]) => B;
}

/** Batches of examples that come one after another. */
export function streamedBatches<T, B>(dataset: IterableDataset<T>, options: StreamOptions<T, B>): BatchSource<B> {
  const { epoch, batchSize, dropLast, collate } = options;
  const examples = inTurn(dataset, epoch);
  let at = 0;
  const take = async (count: number): Promise<T[]> => {
    const taken: T[] = [];
    while (taken.length < count) {
      const next = await examples.next().catch((error: unknown) => {
        throw datasetError(`example ${at} of epoch ${epoch}`, error);
      });
      if (next.done === true) break;
      at += 1;
      taken.push(next.value);
    }
    return taken;
  };
  const skip = async (): Promise<void> => {
    for (let batch = 0; batch < options.skip; batch++) if ((await take(batchSize)).length === 0) return;
  };
  // One after another: a stream has one reader.
  let last: Promise<unknown> | null = null;
  const load = async (): Promise<{ readonly batch: B } | undefined> => {
    const taken = await take(batchSize);
    return taken.length === 0 || (dropLast && taken.length < batchSize) ? undefined : { batch: collate(taken) };
  };
  return {
    load() {
      const loaded = (last ??= skip()).then(load);
      last = loaded;
      return loaded;
    },
    end: () => void (last ?? Promise.resolve()).catch(() => {}).then(() => examples.return().catch(() => {})),
  };
}

async function* inTurn<T>(dataset: IterableDataset<T>, epoch: number): AsyncGenerator<T, void, undefined> {
  yield* dataset.iterate(epoch);
}

/** What a dataset threw, of the same kind where that matters, saying which example it was about. */
function datasetError(which: string, error: unknown): Error {
  if (error instanceof AbortedError) return error;
  const message = `DataLoader: expected ${which} of the dataset, found an error: ${error instanceof Error ? error.message : String(error)}`;
  const options = { cause: error };
  if (error instanceof CorruptDataError) return new CorruptDataError(message, options);
  if (error instanceof UnsupportedError) return new UnsupportedError(message, options);
  return new OptionError(message, options);
}
