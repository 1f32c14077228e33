/**
 * Checkpoints on this device's disk: chunks named by the SHA-256 of their bytes, and markers that say which chunks make
 * up which shards of which generation.
 *
 * A generation becomes visible with its marker, in one write; chunks before it are invisible, and content once written
 * never changes. So at any moment of a crash the previous generations are as they were, and the new one is there whole
 * or not at all. What a disk returns is believed only after its hash has been checked.
 *
 * Tabs of one browser share one store: each writes its own marker, and reading merges them. Which chunks may be deleted
 * meanwhile is the matter of `garbage.ts`. It knows neither tensors nor peers: shards are bytes with a hash.
 */
import type { Bytes } from "../../base/bytes.ts";
import type { Clock } from "../../base/clock.ts";
import { CorruptDataError } from "../../base/errors.ts";
import { hashBytes, hashText } from "../../base/hash.ts";
import type { Hash } from "../../base/hash.ts";
import type { StoredGeneration } from "../../network/wire/messages.ts";
import type { Entry, Store } from "../../storage/store.ts";
import { BlobStore } from "./blob-store.ts";
import { CHUNKS, chunkKey, pin, sweep, unpin } from "./garbage.ts";
import { decodeMarker, encodeMarker, markerKey, runPrefix } from "./marker.ts";
import type { Marker, StoredShard } from "./marker.ts";

/** One put takes at least so much where there is so much, and at most `BATCH_BYTES_MAX` unless one chunk is larger. */
const BATCH_BYTES_MIN = 1024 * 1024;
const BATCH_BYTES_MAX = 8 * 1024 * 1024;

/** A shard to be written. The bytes must stay as they are until the write resolves. */
export interface ShardBytes {
  readonly shard: number;
  readonly parameter: Bytes;
  readonly parameterHash: Hash;
  readonly optimizer: Bytes;
  readonly optimizerHash: Hash;
}

/** One writer's part of a generation. */
export interface GenerationPart {
  /** The room's id. */
  readonly run: string;
  readonly step: number;
  readonly chain: Hash;
  readonly shards: readonly ShardBytes[];
  /** Told apart from other writers of the same generation: the peer's id. */
  readonly writer: string;
}

export interface WriteReport {
  /** Chunks that were not there before. */
  readonly chunksWritten: number;
  readonly bytesWritten: number;
}

/** What was found broken since the tab opened, and never returned. */
export interface Damage {
  /** Torn, truncated or altered; deleted. */
  readonly chunks: number;
  /** Ignored. */
  readonly markers: number;
  /** Data files with a piece missing or altered; deleted. */
  readonly blobs: number;
}

export interface ChunkStoreOptions {
  readonly store: Store;
  readonly clock: Clock;
  /** Any name that no other tab has: the peer's id. */
  readonly id: string;
}

export class ChunkStore {
  readonly #store: Store;
  readonly #clock: Clock;
  readonly #id: string;
  readonly #blobs: BlobStore;
  /** Chunks that this tab wrote, or read and found right. A chunk that is merely there may be torn. */
  #verified = new Set<Hash>();
  /** Writing and collecting go one after another. Never rejects. */
  #last: Promise<unknown> = Promise.resolve();
  #damagedChunks = 0;
  readonly #damagedMarkers = new Set<string>();

  constructor({ store, clock, id }: ChunkStoreOptions) {
    this.#store = store;
    this.#clock = clock;
    this.#id = hashText(id).slice(0, 32);
    this.#blobs = new BlobStore(store, clock);
  }

  get damage(): Damage {
    return { chunks: this.#damagedChunks, markers: this.#damagedMarkers.size, blobs: this.#blobs.damaged };
  }

  /** Those of `hashes` that are there; whether they are right shows when they are read. */
  async hasChunks(hashes: readonly Hash[]): Promise<ReadonlySet<Hash>> {
    const present = await this.#present();
    return new Set(hashes.filter((hash) => present.has(hash)));
  }

  /** The bytes that `hash` names, or undefined. A chunk that has become something else is deleted and counted. */
  async readChunk(hash: Hash): Promise<Bytes | undefined> {
    const key = chunkKey(hash);
    const bytes = await this.#read(key);
    if (bytes === undefined) return undefined;
    if (bytes !== "unreadable" && hashBytes(bytes) === hash) {
      this.#verified.add(hash);
      return bytes;
    }
    this.#damagedChunks += 1;
    this.#verified.delete(hash);
    await this.#store.delete([key]);
    return undefined;
  }

  /**
   * Writes chunks that are not there yet, then the marker. Writing the same generation again adds to it. Costs one pass
   * of SHA-256 over all bytes, and one more reading of chunks that some other tab wrote.
   *
   * @throws CorruptDataError when bytes are not what their hash says: nothing is written
   * @throws QuotaError when the disk is full: nothing is visible, and what was written is deleted again
   */
  async writeGeneration(part: GenerationPart): Promise<WriteReport> {
    const chunks = new Map<Hash, Bytes>();
    for (const { shard, parameter, parameterHash, optimizer, optimizerHash } of part.shards) {
      for (const [bytes, hash] of [
        [parameter, parameterHash],
        [optimizer, optimizerHash],
      ] as const) {
        const found = chunks.has(hash) ? hash : hashBytes(bytes);
        if (found !== hash) {
          const what = `writeGeneration: shard ${shard} of step ${part.step}`;
          throw new CorruptDataError(`${what}: expected bytes with SHA-256 ${hash}, found ${found}`);
        }
        chunks.set(hash, bytes);
      }
    }
    return this.#inTurn(() => this.#write(part, chunks));
  }

  /** Generations of `run` with a valid marker, newest first; their shards are those whose chunks are there. */
  async generations(run: string): Promise<StoredGeneration[]> {
    const markers = await this.#markers(run);
    const present = await this.#present();
    const found = new Map<string, { step: number; chain: Hash; shards: Set<number> }>();
    for (const { marker } of markers) {
      const { step, chain } = marker;
      const generation = found.get(`${step}/${chain}`) ?? { step, chain, shards: new Set() };
      found.set(`${step}/${chain}`, generation);
      for (const { shard, parameter, optimizer } of marker.shards) {
        if (present.has(parameter) && present.has(optimizer)) generation.shards.add(shard);
      }
    }
    const newestFirst = [...found.values()].sort((a, b) => b.step - a.step || (a.chain < b.chain ? -1 : 1));
    return newestFirst.map(({ step, chain, shards }) => ({ step, chain, shards: [...shards].sort((a, b) => a - b) }));
  }

  /**
   * Deletes the generations of `run` that are not in `keep`, and all chunks that nothing names any more. Generations
   * after the newest one kept stay too: another tab may be ahead of the caller. With nothing to keep, the run goes.
   */
  collect(run: string, keep: readonly { readonly step: number; readonly chain: Hash }[]): Promise<void> {
    return this.#inTurn(async () => {
      const kept = new Set(keep.map(({ step, chain }) => `${step}/${chain}`));
      const newest = keep.length > 0 ? Math.max(...keep.map(({ step }) => step)) : Number.POSITIVE_INFINITY;
      const old = (await this.#markers(run)).filter(
        ({ marker: { step, chain } }) => step <= newest && !kept.has(`${step}/${chain}`),
      );
      await this.#store.delete(old.map(({ key }) => key));
      await this.#sweep();
    });
  }

  /** Keeps a run's data file, up to 64 MiB. @throws OptionError when larger; CorruptDataError; QuotaError */
  saveBlob(hash: Hash, bytes: Bytes): Promise<void> {
    return this.#blobs.save(hash, bytes);
  }

  /** The data file, verified, or undefined. */
  loadBlob(hash: Hash): Promise<Bytes | undefined> {
    return this.#blobs.load(hash);
  }

  async #write(part: GenerationPart, chunks: ReadonlyMap<Hash, Bytes>): Promise<WriteReport> {
    if (part.shards.length === 0) return { chunksWritten: 0, bytesWritten: 0 };
    try {
      await pin(this.#store, this.#clock, this.#id, [...chunks.keys()]);
      const report = await this.#putChunks(chunks);
      await this.#putMarker(part);
      await unpin(this.#store, this.#id);
      return report;
    } catch (error) {
      // Makes room for the next attempt where it can; the failure that counts is the first.
      await unpin(this.#store, this.#id)
        .then(() => this.#sweep())
        .catch(() => {});
      throw error;
    }
  }

  async #putChunks(chunks: ReadonlyMap<Hash, Bytes>): Promise<WriteReport> {
    const present = await this.#present();
    let [chunksWritten, bytesWritten] = [0, 0];
    let batch: Entry[] = [];
    let batchBytes = 0;
    const flush = async (): Promise<void> => {
      if (batch.length > 0) await this.#store.put(batch, { durability: "relaxed" });
      for (const { key } of batch) this.#verified.add(key.slice(CHUNKS.length));
      batch = [];
      batchBytes = 0;
    };
    for (const [hash, bytes] of chunks) {
      if (present.has(hash) && (this.#verified.has(hash) || (await this.readChunk(hash)))) continue;
      if (batchBytes + bytes.byteLength > BATCH_BYTES_MAX) await flush();
      batch.push({ key: chunkKey(hash), value: bytes });
      batchBytes += bytes.byteLength;
      chunksWritten += 1;
      bytesWritten += bytes.byteLength;
      if (batchBytes >= BATCH_BYTES_MIN) await flush();
    }
    await flush();
    return { chunksWritten, bytesWritten };
  }

  async #putMarker(part: GenerationPart): Promise<void> {
    const { run, step, chain, writer } = part;
    const key = markerKey(part);
    const before = await this.#read(key);
    const earlier = before instanceof Uint8Array ? decodeMarker(before) : "corrupt";
    const shards = new Map<number, StoredShard>();
    if (typeof earlier === "object") for (const stored of earlier.shards) shards.set(stored.shard, stored);
    for (const { shard, parameterHash, optimizerHash } of part.shards) {
      shards.set(shard, { shard, parameter: parameterHash, optimizer: optimizerHash });
    }
    const value = encodeMarker({ run, step, chain, writer, shards: [...shards.values()] });
    await this.#store.put([{ key, value }], { durability: "strict" });
  }

  /** Valid markers of `run`. */
  async #markers(run: string): Promise<{ key: string; marker: Marker }[]> {
    const found: { key: string; marker: Marker }[] = [];
    for (const key of await this.#store.keys(runPrefix(run))) {
      const bytes = await this.#read(key);
      // Another tab collected it just now.
      if (bytes === undefined) continue;
      const marker = bytes === "unreadable" ? "corrupt" : decodeMarker(bytes);
      if (marker === "corrupt") this.#damagedMarkers.add(key);
      if (typeof marker === "object" && marker.run === run) found.push({ key, marker });
    }
    return found;
  }

  async #present(): Promise<ReadonlySet<Hash>> {
    return new Set((await this.#store.keys(CHUNKS)).map((key) => key.slice(CHUNKS.length)));
  }

  async #sweep(): Promise<void> {
    const left = await sweep(this.#store, this.#clock, this.#id);
    this.#verified = new Set([...this.#verified].filter((hash) => left.has(hash)));
  }

  async #read(key: string): Promise<Bytes | undefined | "unreadable"> {
    try {
      return await this.#store.get(key);
    } catch (error) {
      if (error instanceof CorruptDataError) return "unreadable";
      throw error;
    }
  }

  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const done = this.#last.then(work);
    this.#last = done.catch(() => {});
    return done;
  }
}
