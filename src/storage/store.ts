/**
 * Bytes at rest: a flat, ordered key-value store. It knows neither tensors nor peers; keys are paths like
 * `chunk/<sha256>`. IndexedDB in browsers, files in Node, memory in tests: one conformance suite for all.
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

export interface Store {
  readonly kind: "indexed-db" | "file-system" | "memory";
  get(key: string): Promise<Bytes | undefined>;
  /** All entries or none, in one transaction. @throws QuotaError when the storage is full or refuses */
  put(entries: readonly Entry[], options: PutOptions): Promise<void>;
  /** Missing keys are fine. */
  delete(keys: readonly string[]): Promise<void>;
  /** Keys that start with `prefix`, in order. */
  keys(prefix: string): Promise<string[]>;
  close(): void;
}
