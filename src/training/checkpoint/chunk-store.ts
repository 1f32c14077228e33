/**
 * Checkpoints on this device's disk: chunks named by the SHA-256 of their bytes, in packs of some MiB, and markers that
 * say which chunks make up which shards of which generation, and which pack they are in.
 *
 * A generation becomes visible with its marker, in one write; packs before it are invisible, and content once written
 * never changes. So at any moment of a crash the previous generations are as they were, and the new one is there whole
 * or not at all. What a disk returns is believed only after its hash has been checked.
 *
 * Tabs of one browser share one store: each writes its own marker, and reading merges them. Which packs may be deleted
 * meanwhile is the matter of `garbage.ts`. It knows neither tensors nor peers: shards are bytes with a hash.
 */
import type { Bytes } from "../../base/bytes.ts";
import type { Clock } from "../../base/clock.ts";
import { CorruptDataError } from "../../base/errors.ts";
import { hashBytes, hashText } from "../../base/hash.ts";
import type { Hash } from "../../base/hash.ts";
import type { StoredGeneration } from "../../network/wire/state-record.ts";
import type { Store } from "../../storage/store.ts";
import { BlobStore } from "./blob-store.ts";
import { pin, sweep, unpin } from "./garbage.ts";
import { MARKERS, decodeMarker, encodeMarker, generationPrefix, markerKey, runPrefix } from "./marker.ts";
import type { Marker, StoredShard } from "./marker.ts";
import { PACK_BYTES_MAX, cutPacks, type Pack } from "./pack.ts";
import { PackStore, type WriteReport } from "./pack-store.ts";
import { readValue } from "./read-value.ts";

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

/** What was found broken since the tab opened, and never returned. */
export interface Damage {
  /** Torn, truncated or altered; a pack that is not as long as it was counts once, and is deleted. */
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
  /** SHA-256, off this thread where the host can; computed here unless told. */
  readonly hash?: (bytes: Bytes) => Promise<Hash>;
  /** What chunks are put together to; 4 MiB unless told. */
  readonly packBytesMax?: number;
}

/** On the thread at hand. */
export class ChunkStore {
  readonly #store: Store;
  readonly #clock: Clock;
  readonly #id: string;
  readonly #blobs: BlobStore;
  readonly #hash: (bytes: Bytes) => Promise<Hash>;
  readonly #packBytesMax: number;
  readonly #packs: PackStore;
  /** Markers that told of their packs, by key. */
  readonly #learned = new Set<string>();
  /** Writing and collecting go one after another. Never rejects. */
  #last: Promise<unknown> = Promise.resolve();
  readonly #damagedMarkers = new Set<string>();

  constructor({ store, clock, id, hash, packBytesMax = PACK_BYTES_MAX }: ChunkStoreOptions) {
    this.#packBytesMax = packBytesMax;
    this.#hash = hash ?? (async (bytes) => hashBytes(bytes));
    this.#store = store;
    this.#clock = clock;
    this.#id = hashText(id).slice(0, 32);
    this.#blobs = new BlobStore(store, clock);
    this.#packs = new PackStore(store, this.#hash);
  }

  /** SHA-256, off this thread where the host can. `bytes` must stay as they are until it resolves. */
  hash(bytes: Bytes): Promise<Hash> {
    return this.#hash(bytes);
  }

  get damage(): Damage {
    return { chunks: this.#packs.damaged, markers: this.#damagedMarkers.size, blobs: this.#blobs.damaged };
  }

  /** Those of `hashes` that are there; whether they are right shows when they are read. */
  async hasChunks(hashes: readonly Hash[]): Promise<ReadonlySet<Hash>> {
    await this.#learn();
    const present = await this.#packs.present();
    return new Set(hashes.filter((hash) => this.#packs.has(hash, present)));
  }

  /** The bytes that `hash` names, or undefined. A chunk that has become something else is counted, and not listed any more. */
  async readChunk(hash: Hash): Promise<Bytes | undefined> {
    if (!this.#packs.knows(hash)) await this.#learn();
    return this.#packs.read(hash);
  }

  /**
   * Writes packs that are not there yet, then the marker. Writing the same generation again adds to it. Costs one pass
   * of SHA-256 and one copy over all bytes, and one more reading of packs that some other tab wrote.
   *
   * @throws CorruptDataError when bytes are not what their hash says: nothing is written
   * @throws QuotaError when the disk is full: nothing is visible, and what was written is deleted again
   */
  async writeGeneration(part: GenerationPart): Promise<WriteReport> {
    const chunks = new Map<Hash, Bytes>();
    const checks: Promise<void>[] = [];
    for (const { shard, parameter, parameterHash, optimizer, optimizerHash } of part.shards) {
      for (const [bytes, hash] of [
        [parameter, parameterHash],
        [optimizer, optimizerHash],
      ] as const) {
        if (chunks.has(hash)) continue;
        chunks.set(hash, bytes);
        checks.push(this.#check(hash, bytes, `writeGeneration: shard ${shard} of step ${part.step}`));
      }
    }
    // All at once: one after another, each would have to wake this thread.
    await Promise.all(checks);
    return this.#inTurn(() => this.#write(part, chunks));
  }

  /** Generations of `run` with a valid marker, newest first; their shards are those whose chunks are there. */
  async generations(run: string): Promise<StoredGeneration[]> {
    const markers = await this.#markers(run);
    const present = await this.#packs.present();
    const found = new Map<string, { step: number; chain: Hash; shards: Set<number> }>();
    for (const { marker } of markers) {
      const { step, chain } = marker;
      const generation = found.get(`${step}/${chain}`) ?? { step, chain, shards: new Set() };
      found.set(`${step}/${chain}`, generation);
      for (const { shard, parameter, optimizer } of marker.shards) {
        const isWhole = this.#packs.has(parameter, present) && this.#packs.has(optimizer, present);
        if (isWhole) generation.shards.add(shard);
      }
    }
    const newestFirst = [...found.values()].sort((a, b) => b.step - a.step || (a.chain < b.chain ? -1 : 1));
    return newestFirst.map(({ step, chain, shards }) => ({ step, chain, shards: [...shards].sort((a, b) => a - b) }));
  }

  /**
   * Deletes the generations of `run` that are not in `keep`, and all packs that nothing names any more. Generations
   * after the newest one kept stay too: another tab may be ahead of the caller. With nothing to keep, the run goes.
   */
  collect(run: string, keep: readonly { readonly step: number; readonly chain: Hash }[]): Promise<void> {
    return this.#inTurn(async () => {
      const kept = keep.map((generation) => generationPrefix({ run, ...generation }));
      const after =
        keep.length > 0 ? generationPrefix({ run, step: Math.max(...keep.map(({ step }) => step)) + 1 }) : null;
      // By their keys, which are in the order of steps: reading them would cost more than all the rest.
      const old = (await this.#store.keys(runPrefix(run))).filter(
        (key) => (after === null || key < after) && !kept.some((prefix) => key.startsWith(prefix)),
      );
      await this.#store.delete(old);
      await this.#sweep();
    });
  }

  /** Reads every chunk that markers of `run` name; those that are missing or had rotted, by hash. */
  async scrub(run: string): Promise<{ readonly chunksRead: number; readonly missing: ReadonlySet<Hash> }> {
    const packs = new Map<Hash, Pack>();
    for (const { marker } of await this.#markers(run)) for (const pack of marker.packs) packs.set(pack.name, pack);
    const missing = await this.#packs.scrub(packs.values());
    const chunksRead = [...packs.values()].reduce((sum, { chunks }) => sum + chunks.length, 0);
    return { chunksRead, missing };
  }

  /**
   * Writes chunks that markers name into their packs again, wherever they are missing or rotted.
   * @throws CorruptDataError when bytes are others than their hash says; QuotaError
   */
  async repair(chunks: ReadonlyMap<Hash, Bytes>): Promise<void> {
    for (const [hash, bytes] of chunks) await this.#check(hash, bytes, "repair");
    await this.#inTurn(() => this.#packs.repair(chunks));
  }

  /** Keeps a run's data file, up to 64 MiB. @throws OptionError when larger; CorruptDataError; QuotaError */
  saveBlob(hash: Hash, bytes: Bytes): Promise<void> {
    return this.#blobs.save(hash, bytes);
  }

  /** The data file, verified, or undefined. */
  loadBlob(hash: Hash): Promise<Bytes | undefined> {
    return this.#blobs.load(hash);
  }

  async #check(hash: Hash, bytes: Bytes, what: string): Promise<void> {
    const found = await this.#hash(bytes);
    if (found !== hash) throw new CorruptDataError(`${what}: expected bytes with SHA-256 ${hash}, found ${found}`);
  }

  async #write(part: GenerationPart, chunks: ReadonlyMap<Hash, Bytes>): Promise<WriteReport> {
    if (part.shards.length === 0) return { chunksWritten: 0, bytesWritten: 0 };
    const packs = cutPacks(chunks, this.#packBytesMax);
    try {
      await pin(
        this.#store,
        this.#clock,
        this.#id,
        packs.map(({ name }) => name),
      );
      const report = await this.#packs.write(packs, chunks);
      await this.#putMarker(part, packs);
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

  async #putMarker(part: GenerationPart, written: readonly Pack[]): Promise<void> {
    const { run, step, chain, writer } = part;
    const key = markerKey(part);
    const before = await readValue(this.#store, key);
    const earlier = before instanceof Uint8Array ? decodeMarker(before) : "corrupt";
    const shards = new Map<number, StoredShard>();
    const packs = new Map<Hash, Pack>();
    if (typeof earlier === "object") {
      for (const stored of earlier.shards) shards.set(stored.shard, stored);
      for (const pack of earlier.packs) packs.set(pack.name, pack);
    }
    for (const pack of written) packs.set(pack.name, pack);
    for (const { shard, parameterHash, optimizerHash } of part.shards) {
      shards.set(shard, { shard, parameter: parameterHash, optimizer: optimizerHash });
    }
    const value = encodeMarker({ run, step, chain, writer, shards: [...shards.values()], packs: [...packs.values()] });
    await this.#store.put([{ key, value }], { durability: "strict" });
  }

  /** Valid markers of `run`; their packs are known from then on. */
  async #markers(run: string): Promise<{ key: string; marker: Marker }[]> {
    const markers = await this.#readMarkers(await this.#store.keys(runPrefix(run)));
    return markers.filter(({ marker }) => marker.run === run);
  }

  /** Looks at markers of all runs that it has not read yet: other tabs of this browser write some too. */
  async #learn(): Promise<void> {
    await this.#readMarkers((await this.#store.keys(MARKERS)).filter((key) => !this.#learned.has(key)));
  }

  async #readMarkers(keys: readonly string[]): Promise<{ key: string; marker: Marker }[]> {
    const found: { key: string; marker: Marker }[] = [];
    for (const key of keys) {
      const bytes = await readValue(this.#store, key);
      // Another tab collected it just now.
      if (bytes === undefined) continue;
      const marker = bytes === "unreadable" ? "corrupt" : decodeMarker(bytes);
      this.#learned.add(key);
      if (marker === "corrupt") this.#damagedMarkers.add(key);
      if (typeof marker !== "object") continue;
      found.push({ key, marker });
      for (const pack of marker.packs) this.#packs.learn(pack);
    }
    return found;
  }

  async #sweep(): Promise<void> {
    this.#packs.retain(await sweep(this.#store, this.#clock, this.#id));
    this.#learned.clear();
  }

  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const done = this.#last.then(work);
    this.#last = done.catch(() => {});
    return done;
  }
}
