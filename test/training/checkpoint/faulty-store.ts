/** A store that fails at a chosen operation: it throws, dies with its process, or silently spoils a value. */
import type { Bytes } from "../../../src/base/bytes.ts";
import { QuotaError } from "../../../src/base/errors.ts";
import type { Entry, PutOptions, Store } from "../../../src/storage/store.ts";

export type Fault =
  | { readonly kind: "none" }
  /** The operation fails, those after it do not. */
  | { readonly kind: "throw"; readonly operation: number }
  /** The operation and all later ones never end; it has taken effect, or not. */
  | { readonly kind: "stop"; readonly operation: number; readonly isApplied: boolean }
  /** The value is written, and is something else when read. */
  | { readonly kind: "spoil"; readonly value: number; readonly how: (value: Bytes) => Bytes };

export class FaultyStore implements Store {
  readonly kind = "memory";
  operations = 0;
  values = 0;
  /** Keys of values as they were put, in order. */
  readonly written: string[] = [];
  /** Resolves when the process has died. */
  readonly stopped: Promise<void>;
  readonly #inner: Store;
  readonly #fault: Fault;
  #stop: () => void = () => {};

  constructor(inner: Store, fault: Fault) {
    this.#inner = inner;
    this.#fault = fault;
    this.stopped = new Promise((resolve) => (this.#stop = resolve));
  }

  get(key: string): Promise<Bytes | undefined> {
    return this.#run(() => this.#inner.get(key));
  }

  put(entries: readonly Entry[], options: PutOptions): Promise<void> {
    return this.#run(() => {
      const spoiled = entries.map(({ key, value }) => {
        this.written.push(key);
        const isSpoiled = this.#fault.kind === "spoil" && this.values++ === this.#fault.value;
        return { key, value: isSpoiled && this.#fault.kind === "spoil" ? this.#fault.how(value) : value };
      });
      return this.#inner.put(spoiled, options);
    });
  }

  delete(keys: readonly string[]): Promise<void> {
    return this.#run(() => this.#inner.delete(keys));
  }

  keys(prefix: string): Promise<string[]> {
    return this.#run(() => this.#inner.keys(prefix));
  }

  close(): void {
    this.#inner.close();
  }

  async #run<T>(operation: () => Promise<T>): Promise<T> {
    const at = this.operations++;
    const fault = this.#fault;
    if (fault.kind === "throw" && at === fault.operation) throw new QuotaError(`operation ${at}: no room`);
    if (fault.kind !== "stop" || at < fault.operation) return operation();
    if (at === fault.operation && fault.isApplied) await operation();
    this.#stop();
    return new Promise<never>(() => {});
  }
}
