/** A bounded queue of batches under way: loaded side by side, handed out in order. */
import { AbortedError } from "../../../base/errors.ts";
import { throwIfAborted } from "../../../base/wait.ts";
import type { BatchSource } from "./batch-source.ts";

export interface QueueOptions {
  /** Batches under way besides the one asked for, at most. */
  readonly prefetch: number;
  readonly signal?: AbortSignal | undefined;
}

/**
 * The batches of `source` from `position` on. An error comes at the place of its batch; after it, and when the reader
 * stops, loads that are under way are aborted and their results ignored.
 */
export async function* batchesInOrder<B>(
  source: BatchSource<B>,
  position: number,
  { prefetch, signal }: QueueOptions,
): AsyncGenerator<B, void, undefined> {
  const queue: Promise<{ readonly batch: B } | undefined>[] = [];
  const end = new AbortController();
  let next = position;
  try {
    for (;;) {
      throwIfAborted("DataLoader", signal);
      while (queue.length <= prefetch) {
        const loading = source.load(next++, end.signal);
        loading.catch(() => {}); // Reported when its turn comes, or never.
        queue.push(loading);
      }
      const [head] = queue.splice(0, 1) as [Promise<{ readonly batch: B } | undefined>];
      const loaded = await unlessAborted(head, signal);
      if (loaded === undefined) return;
      yield loaded.batch;
    }
  } finally {
    end.abort(new AbortedError("DataLoader: expected a reader, found that it stopped"));
    source.end();
  }
}

function unlessAborted<T>(promise: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (signal === undefined) return promise;
  return new Promise((resolve, reject) => {
    const onAbort = (): void => {
      const reason: unknown = signal.reason;
      reject(new AbortedError("DataLoader: aborted", { cause: reason }));
    };
    signal.addEventListener("abort", onAbort);
    promise
      .then(resolve, reject)
      .finally(() => signal.removeEventListener("abort", onAbort))
      .catch(() => {});
  });
}
