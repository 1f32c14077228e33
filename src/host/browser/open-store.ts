/**
 * Where a browser keeps checkpoints: IndexedDB, and its private files where that is refused.
 *
 * Chunks of small models are a few kB each, and a file a chunk costs some 10 ms of the browser's private file system, where
 * IndexedDB takes a batch of them in one transaction: measured in rooms, a checkpoint took seconds there.
 */
import type { Clock } from "../../base/clock.ts";
import { QuotaError } from "../../base/errors.ts";
import { IndexedDbStore } from "../../storage/indexed-db/indexed-db-store.ts";
import { OpfsStore } from "../../storage/opfs/opfs-store.ts";
import type { Store } from "../../storage/store.ts";

/** The store of this name in this browser profile, and why it is not the usual one. @throws QuotaError when there is none */
export async function openStore(name: string, clock: Clock): Promise<{ store: Store; reason: string | null }> {
  const usual = new IndexedDbStore({ name, clock });
  const reason = await failureOf(usual);
  if (reason === null) return { store: usual, reason };
  usual.close();
  const lacking = missingInOpfs();
  if (lacking === null) {
    const root = (): Promise<FileSystemDirectoryHandle> => navigator.storage.getDirectory();
    const store = new OpfsStore({ name, root, locks: navigator.locks, clock });
    const failure = await failureOf(store);
    if (failure === null) return { store, reason };
    store.close();
    throw new QuotaError(`This browser lets pages store nothing: IndexedDB, ${reason}; private files, ${failure}`);
  }
  throw new QuotaError(`This browser lets pages store nothing: IndexedDB, ${reason}; ${lacking}`);
}

function missingInOpfs(): string | null {
  if (typeof navigator.storage?.getDirectory !== "function" || typeof FileSystemFileHandle === "undefined") {
    return "it has no private file system";
  }
  const missing = ["createSyncAccessHandle", "move"].find((method) => !(method in FileSystemFileHandle.prototype));
  if (missing) return `its private files lack ${missing}`;
  return navigator.locks ? null : "it has no Web Locks";
}

/** Private windows of some browsers have it all, and refuse when it is used. */
async function failureOf(store: Store): Promise<string | null> {
  try {
    await store.put([{ key: "probe", value: Uint8Array.of(1) }], { durability: "relaxed" });
    return (await store.get("probe"))?.[0] === 1 ? null : "it does not keep what is written";
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}
