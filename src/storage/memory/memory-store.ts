/** Bytes that live as long as the tab: for tests, and for members whose browser offers no storage. */
import type { Bytes } from "../../base/bytes.ts";
import { AbortedError, QuotaError } from "../../base/errors.ts";
import { checkKey } from "../key.ts";
import type { Entry, PutOptions, Store } from "../store.ts";

export interface MemoryStoreOptions {
  /** Sum of all values; without it the heap is the limit. */
  readonly bytesMax?: number;
}

/** Copies on the way in and out, as a disk would. */
export class MemoryStore implements Store {
  readonly kind = "memory";
  readonly #values = new Map<string, Bytes>();
  readonly #bytesMax: number;
  #bytes = 0;
  #isClosed = false;

  constructor(options: MemoryStoreOptions = {}) {
    this.#bytesMax = options.bytesMax ?? Number.POSITIVE_INFINITY;
  }

  async get(key: string): Promise<Bytes | undefined> {
    this.#check("get", [key]);
    return this.#values.get(key)?.slice();
  }

  async put(entries: readonly Entry[], _options: PutOptions): Promise<void> {
    this.#check(
      "put",
      entries.map(({ key }) => key),
    );
    const after = new Map<string, number>();
    for (const { key, value } of entries) after.set(key, value.byteLength);
    let bytes = this.#bytes;
    for (const [key, size] of after) bytes += size - (this.#values.get(key)?.byteLength ?? 0);
    if (bytes > this.#bytesMax) {
      const asked = entries.reduce((sum, { value }) => sum + value.byteLength, 0);
      throw new QuotaError(`put: expected room for ${asked} bytes, found ${this.#bytesMax - this.#bytes} in memory`);
    }
    for (const { key, value } of entries) this.#values.set(key, value.slice());
    this.#bytes = bytes;
  }

  async delete(keys: readonly string[]): Promise<void> {
    this.#check("delete", keys);
    for (const key of keys) {
      this.#bytes -= this.#values.get(key)?.byteLength ?? 0;
      this.#values.delete(key);
    }
  }

  async keys(prefix: string): Promise<string[]> {
    this.#check("keys", []);
    return [...this.#values.keys()].filter((key) => key.startsWith(prefix)).sort();
  }

  close(): void {
    this.#isClosed = true;
    this.#values.clear();
  }

  #check(operation: string, keys: readonly string[]): void {
    if (this.#isClosed) throw new AbortedError(`${operation}: expected an open store, found it closed`);
    for (const key of keys) checkKey(operation, key);
  }
}
