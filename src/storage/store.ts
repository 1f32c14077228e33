/**
 * Bytes at rest: a flat, ordered key-value store. It knows neither tensors nor peers; keys are paths like
 * `chunk/<sha256>` (see `key.ts` for what they may hold). Private files or IndexedDB in browsers, files in Node, memory
 * in tests: one conformance suite for all.
 */
import type { Bytes } from "../base/bytes.ts";

export interface Entry {
  readonly key: string;
  readonly value: Bytes;
}

export interface PutOptions {
  /** `relaxed` may still be in the system's cache after a power cut; `strict` is on the disk when put resolves. */
  durability: "relaxed" | "strict";
}

/**
 * After `close`, operations fail with AbortedError. A storage that cannot do what it is asked fails with QuotaError,
 * one that takes too long with DeadlineError.
 */
export interface Store {
  readonly kind: "opfs" | "indexed-db" | "file-system" | "memory";
  /** @throws CorruptDataError when the storage has the key and cannot read its value */
  get(key: string): Promise<Bytes | undefined>;
  /**
   * All entries or none, in one transaction; of two with one key the later counts. The values must stay as they are
   * until it resolves. @throws QuotaError when the storage is full or refuses
   */
  put(entries: readonly Entry[], options: PutOptions): Promise<void>;
  /** Missing keys are fine. */
  delete(keys: readonly string[]): Promise<void>;
  /** Keys that start with `prefix`, in order. */
  keys(prefix: string): Promise<string[]>;
  close(): void;
}
