/**
 * One fetch of many blobs from many sources: which source is asked for what, and who is next when it fails. A blob
 * counts as had only when its SHA-256 is right.
 *
 * Each source works on up to two requests of a share of what is left, so that fast ones do more, and none waits for
 * the round trip between them.
 */
import type { Bytes } from "../base/bytes.ts";
import { CorruptDataError, MissingDataError } from "../base/errors.ts";
import type { HearthError } from "../base/errors.ts";
import { hashBytes } from "../base/hash.ts";
import type { Hash } from "../base/hash.ts";
import { deferred } from "./deferred.ts";
import type { PeerId } from "./transport/transport.ts";

/** A blob, and who may have it. */
export interface WantedBlob {
  readonly hash: Hash;
  readonly sources: readonly PeerId[];
}

/** What went wrong with one source: it lacks the blob, sent other bytes, is gone or silent. */
export interface BlobFault {
  readonly source: PeerId;
  readonly hash: Hash;
  readonly error: HearthError;
}

export interface BlobFetchOptions {
  /** Asks a source, connecting to it where needed; `onAnswer` gets each blob in turn, undefined for one it lacks. */
  readonly ask: (
    source: PeerId,
    hashes: readonly Hash[],
    onAnswer: (index: number, blob: Bytes | undefined) => void,
  ) => Promise<void>;
  readonly onFault: (fault: BlobFault) => void;
  readonly onBlob: (hash: Hash, bytes: Bytes, source: PeerId) => void;
}

const LANES = 2;
const BATCH_MAX = 16;

interface Item {
  readonly hash: Hash;
  /** Not asked yet, or asked for something else only. */
  readonly untried: Set<PeerId>;
  state: "waiting" | "asked" | "had";
}

export class BlobFetch {
  readonly #options: BlobFetchOptions;
  readonly #items = new Map<Hash, Item>();
  readonly #lanes = new Map<PeerId, number>();
  readonly #blobs = new Map<Hash, Bytes>();
  readonly #faults: BlobFault[] = [];
  readonly #result = deferred<Map<Hash, Bytes>>();
  #isStopped = false;

  constructor(wanted: readonly WantedBlob[], options: BlobFetchOptions) {
    this.#options = options;
    for (const { hash, sources } of wanted) {
      const item = this.#items.get(hash) ?? { hash, untried: new Set<PeerId>(), state: "waiting" };
      this.#items.set(hash, item);
      for (const source of sources) {
        item.untried.add(source);
        this.#lanes.set(source, 0);
      }
    }
  }

  /** All blobs. @throws MissingDataError that names those no source could give, after all others were had */
  run(): Promise<Map<Hash, Bytes>> {
    this.#goOn();
    return this.#result.promise;
  }

  /** Asks nobody any more. */
  stop(): void {
    this.#isStopped = true;
  }

  /** Hashes that are still missing. */
  missing(): Hash[] {
    return [...this.#items.values()].filter((item) => item.state !== "had").map((item) => item.hash);
  }

  /** Gives every idle lane something to do, and ends the fetch when nothing is under way any more. */
  #goOn(): void {
    if (this.#isStopped) return;
    for (let lane = 0; lane < LANES; lane++) {
      for (const [source, busy] of this.#lanes) {
        if (busy > lane) continue;
        const batch = this.#take(source);
        if (batch.length > 0) void this.#work(source, batch);
      }
    }
    if ([...this.#lanes.values()].some((busy) => busy > 0)) return;
    const missing = this.missing();
    if (missing.length === 0) return this.#result.resolve(this.#blobs);
    const why = this.#faults.filter(({ hash }) => missing.includes(hash)).map(({ error }) => error);
    const message = `fetching ${this.#items.size} blobs: expected each from one of its sources, found no source for ${missing.join(", ")}`;
    this.#result.reject(new MissingDataError(missing, message, { cause: new AggregateError(why) }));
  }

  /** A source's share of what waits, so that all sources have something to do until the end. */
  #take(source: PeerId): Item[] {
    const waiting = [...this.#items.values()].filter((item) => item.state === "waiting" && item.untried.has(source));
    const share = Math.ceil(waiting.length / (LANES * this.#lanes.size));
    const batch = waiting.slice(0, Math.min(BATCH_MAX, share));
    for (const item of batch) item.state = "asked";
    return batch;
  }

  async #work(source: PeerId, batch: readonly Item[]): Promise<void> {
    this.#lanes.set(source, (this.#lanes.get(source) ?? 0) + 1);
    const hashes = batch.map((item) => item.hash);
    try {
      await this.#options.ask(source, hashes, (index, blob) => this.#onAnswer(source, batch[index] as Item, blob));
    } catch (error) {
      for (const item of batch) if (item.state === "asked") this.#fault(source, item, error as HearthError);
      for (const item of this.#items.values()) item.untried.delete(source); // Gone, silent or broken: for all of them.
    }
    this.#lanes.set(source, (this.#lanes.get(source) ?? 1) - 1);
    this.#goOn();
  }

  #onAnswer(source: PeerId, item: Item, blob: Bytes | undefined): void {
    if (blob === undefined) {
      this.#fault(
        source,
        item,
        new MissingDataError([item.hash], `blob ${item.hash}: peer ${source} does not have it`),
      );
    } else if (hashBytes(blob) === item.hash) {
      item.state = "had";
      this.#blobs.set(item.hash, blob);
      if (!this.#isStopped) this.#options.onBlob(item.hash, blob, source);
    } else {
      const found = `expected bytes with that hash from peer ${source}, found others`;
      this.#fault(source, item, new CorruptDataError(`blob ${item.hash}: ${found}`));
    }
  }

  #fault(source: PeerId, item: Item, error: HearthError): void {
    item.untried.delete(source);
    item.state = "waiting";
    const fault = { source, hash: item.hash, error };
    this.#faults.push(fault);
    if (!this.#isStopped) this.#options.onFault(fault);
  }
}
