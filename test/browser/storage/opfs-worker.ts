/** Stores in the private file system for a page's tests: its synchronous handles are there in dedicated workers alone. */
import { expose } from "comlink";
import { systemClock } from "../../../src/base/clock.ts";
import { HearthError } from "../../../src/base/errors.ts";
import { OpfsStore } from "../../../src/storage/opfs/opfs-store.ts";
import type { Entry, PutOptions } from "../../../src/storage/store.ts";

export interface OpenOptions {
  readonly name: string;
  /** A storage bucket with so much room, instead of the origin's own storage. */
  readonly quota?: number;
  /** The worker stops for ever in the middle of its nth move of a file. */
  readonly stopAtMove?: number;
}

export type Result = { readonly value: unknown } | { readonly code: string; readonly message: string };

export type Call =
  | readonly ["get", string]
  | readonly ["put", readonly Entry[], PutOptions]
  | readonly ["delete", readonly string[]]
  | readonly ["keys", string]
  | readonly ["close"];

/** https://wicg.github.io/storage-buckets/, as far as it is used here. */
interface Buckets {
  open(name: string, options: { quota: number }): Promise<{ getDirectory(): Promise<FileSystemDirectoryHandle> }>;
  delete(name: string): Promise<void>;
}

const { storageBuckets } = navigator as unknown as { storageBuckets: Buckets };
const stores = new Map<number, OpfsStore>();

const api = {
  open({ name, quota, stopAtMove }: OpenOptions): number {
    if (stopAtMove !== undefined) stopMoves(stopAtMove);
    const root = async (): Promise<FileSystemDirectoryHandle> =>
      quota === undefined
        ? navigator.storage.getDirectory()
        : (await storageBuckets.open(name, { quota })).getDirectory();
    stores.set(
      stores.size,
      new OpfsStore({ name, root, locks: navigator.locks, clock: systemClock, deadlineMs: 3_000 }),
    );
    return stores.size - 1;
  },

  async call(id: number, [method, ...parameters]: Call): Promise<Result> {
    try {
      const store = stores.get(id) as unknown as Record<string, (...parameters: unknown[]) => unknown>;
      return { value: await store[method]?.(...parameters) };
    } catch (error) {
      const code = error instanceof HearthError ? error.code : "other";
      return { code, message: error instanceof Error ? error.message : String(error) };
    }
  },

  async remove(name: string, hasBucket: boolean): Promise<void> {
    if (hasBucket) await storageBuckets.delete(name);
    else await (await navigator.storage.getDirectory()).removeEntry(name, { recursive: true }).catch(() => {});
  },
};

export type OpfsWorker = typeof api;

/** What a tab does that dies there: nothing more. */
function stopMoves(last: number): void {
  const handle = FileSystemFileHandle.prototype as unknown as { move(name: string): Promise<void> };
  const move = handle.move;
  let count = 0;
  handle.move = function (this: FileSystemFileHandle, name: string) {
    if (count++ < last) return move.call(this, name);
    postMessage("stopped");
    return new Promise(() => {});
  };
}

expose(api);
