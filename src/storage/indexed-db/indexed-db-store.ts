/**
 * Bytes in a browser's IndexedDB: one database, one object store, values as ArrayBuffers. All tabs of an origin in one
 * browser profile share it.
 *
 * The browser may end the connection under us: when somebody clears the site's data, when another tab deletes the
 * database, when its storage process dies. So every operation that finds the connection gone opens it once more.
 * Costs: 350 to 500 MB/s in values of 1 to 16 MiB; opening takes some 10 ms, and is done at the first operation.
 */
import { openDB } from "idb";
import type { DBSchema, IDBPDatabase, IDBPTransaction } from "idb";
import type { Bytes } from "../../base/bytes.ts";
import type { Clock } from "../../base/clock.ts";
import { AbortedError, CorruptDataError, DeadlineError, HearthError, QuotaError } from "../../base/errors.ts";
import { throwIfAborted, withDeadline } from "../../base/wait.ts";
import { checkKey } from "../key.ts";
import type { Entry, PutOptions, Store } from "../store.ts";

const ENTRIES = "entries";
/** Above every character that a key may hold. */
const LAST = "\uffff";
const DEADLINE_MS = 30_000;

interface Schema extends DBSchema {
  [ENTRIES]: { key: string; value: ArrayBuffer };
}

type Database = IDBPDatabase<Schema>;
type Transaction<Mode extends IDBTransactionMode = IDBTransactionMode> = IDBPTransaction<
  Schema,
  [typeof ENTRIES],
  Mode
>;

export interface IndexedDbOptions {
  /** Of the database. Stores of one name in one browser profile are one store. */
  readonly name: string;
  readonly clock: Clock;
  /** For one operation, opening included. 30 s unless told. */
  readonly deadlineMs?: number;
}

export class IndexedDbStore implements Store {
  readonly kind = "indexed-db";
  readonly #name: string;
  readonly #clock: Clock;
  readonly #deadlineMs: number;
  #database: Promise<Database> | undefined;
  #isClosed = false;

  constructor(options: IndexedDbOptions) {
    this.#name = options.name;
    this.#clock = options.clock;
    this.#deadlineMs = options.deadlineMs ?? DEADLINE_MS;
  }

  async get(key: string): Promise<Bytes | undefined> {
    checkKey("get", key);
    const buffer = await this.#run("get", async (database) => {
      const transaction = database.transaction(ENTRIES, "readonly");
      const value = transaction.store.get(key);
      await ended(transaction, [value]);
      return value;
    });
    return buffer && new Uint8Array(buffer);
  }

  async put(entries: readonly Entry[], options: PutOptions): Promise<void> {
    for (const { key } of entries) checkKey("put", key);
    const bytes = entries.reduce((sum, { value }) => sum + value.byteLength, 0);
    await this.#run(`put of ${bytes} bytes in ${entries.length} entries`, (database, signal) => {
      const transaction = database.transaction(ENTRIES, "readwrite", { durability: options.durability });
      return written(transaction, signal, entries, ({ key, value }) => transaction.store.put(ownBuffer(value), key));
    });
  }

  async delete(keys: readonly string[]): Promise<void> {
    for (const key of keys) checkKey("delete", key);
    await this.#run(`delete of ${keys.length} entries`, (database, signal) => {
      const transaction = database.transaction(ENTRIES, "readwrite", { durability: "relaxed" });
      return written(transaction, signal, keys, (key) => transaction.store.delete(key));
    });
  }

  keys(prefix: string): Promise<string[]> {
    return this.#run("keys", async (database) => {
      const transaction = database.transaction(ENTRIES, "readonly");
      const keys = transaction.store.getAllKeys(IDBKeyRange.bound(prefix, prefix + LAST));
      await ended(transaction, [keys]);
      return keys;
    });
  }

  close(): void {
    this.#isClosed = true;
    this.#forget();
  }

  /** `work` on an open database; once more on a fresh connection when this one turns out to be gone. */
  async #run<T>(operation: string, work: (database: Database, signal: AbortSignal) => Promise<T>): Promise<T> {
    const what = `${operation} in IndexedDB "${this.#name}"`;
    try {
      return await this.#attempt(what, work);
    } catch (error) {
      if (this.#isClosed || !isConnectionLost(error)) throw this.#explain(what, error);
    }
    this.#forget();
    return this.#attempt(what, work).catch((error: unknown) => {
      throw this.#explain(what, error);
    });
  }

  async #attempt<T>(what: string, work: (database: Database, signal: AbortSignal) => Promise<T>): Promise<T> {
    const late = new AbortController();
    const attempt = async (): Promise<T> => {
      const database = await this.#open(what);
      throwIfAborted(what, late.signal);
      return work(database, late.signal);
    };
    try {
      return await withDeadline(what, attempt(), this.#clock, { deadlineMs: this.#deadlineMs });
    } catch (error) {
      late.abort();
      throw error;
    }
  }

  #open(what: string): Promise<Database> {
    if (this.#isClosed) throw new AbortedError(`${what}: expected an open store, found it closed`);
    if (this.#database) return this.#database;
    const opening: Promise<Database> = openDB<Schema>(this.#name, 1, {
      upgrade: (database) => void database.createObjectStore(ENTRIES),
      // Another tab deletes or upgrades the database. Holding on would block it; the next operation opens again.
      blocking: () => this.#forget(opening),
      terminated: () => this.#forget(opening),
    });
    this.#database = opening;
    opening.then(
      // Closed, or given up, while it was opening: nobody else would close it.
      (database) => this.#database === opening || database.close(),
      () => this.#forget(opening),
    );
    return opening;
  }

  /** Drops the connection, where it is still the current one. */
  #forget(connection: Promise<Database> | undefined = this.#database): void {
    connection?.then(
      (database) => database.close(),
      () => {},
    );
    if (this.#database === connection) this.#database = undefined;
  }

  #explain(what: string, error: unknown): HearthError {
    if (error instanceof DeadlineError) {
      // A blocked open (another tab holds an old version, or a deletion is pending) looks like this too.
      this.#forget();
      return error;
    }
    if (error instanceof HearthError) return error;
    if (this.#isClosed) return new AbortedError(`${what}: the store was closed meanwhile`, { cause: error });
    const found = error instanceof Error ? `${error.name}: ${error.message}` : String(error);
    // Chromium keeps large values in files of their own; one that is lost or short cannot be read.
    const isUnreadable = error instanceof DOMException && ["DataError", "NotReadableError"].includes(error.name);
    if (isUnreadable)
      return new CorruptDataError(`${what}: expected a readable value, found ${found}`, { cause: error });
    return new QuotaError(`${what}: expected the browser to do it, it refused with ${found}`, { cause: error });
  }
}

/** Makes a request for each item and waits for all; takes them back when one cannot be made, or on `signal`. */
async function written<T>(
  transaction: Transaction<"readwrite">,
  signal: AbortSignal,
  items: readonly T[],
  request: (item: T) => Promise<unknown>,
): Promise<void> {
  const requests: Promise<unknown>[] = [];
  const abort = (): void => transaction.abort();
  try {
    for (const item of items) requests.push(request(item));
  } catch (error) {
    abort();
    await ended(transaction, requests).catch(() => {});
    throw error;
  }
  signal.addEventListener("abort", abort);
  await ended(transaction, requests).finally(() => signal.removeEventListener("abort", abort));
}

/** Waits for the transaction. Its error says why; those of its requests may only say that it was aborted. */
async function ended(transaction: Transaction, requests: readonly Promise<unknown>[]): Promise<void> {
  for (const request of requests) request.catch(() => {});
  await transaction.done;
}

/** The bytes alone: IndexedDB would store the whole buffer behind a view. */
function ownBuffer(value: Bytes): ArrayBuffer {
  return value.byteLength === value.buffer.byteLength ? value.buffer : value.slice().buffer;
}

/** InvalidStateError: closed or closing. AbortError, UnknownError: cut off in mid-flight. NotFoundError: made anew by others. */
function isConnectionLost(error: unknown): boolean {
  if (!(error instanceof DOMException)) return false;
  return ["InvalidStateError", "AbortError", "UnknownError", "NotFoundError"].includes(error.name);
}
