/**
 * Packs on this device's disk, and the chunks in them by content. What a disk returns is believed only after its hash has
 * been checked; a chunk that rotted leaves the others of its pack as they are.
 */
import { concatBytes, type Bytes } from "../../base/bytes.ts";
import type { Hash } from "../../base/hash.ts";
import type { Store } from "../../storage/store.ts";
import { PACKS, packKey } from "./garbage.ts";
import { PackIndex, packBytes, type Pack, type Place } from "./pack.ts";
import { readValue } from "./read-value.ts";

export interface WriteReport {
  /** Chunks that were not there before. */
  readonly chunksWritten: number;
  readonly bytesWritten: number;
}

export class PackStore {
  /** Chunks found torn or altered; a pack that is not as long as it was counts once. */
  damaged = 0;
  readonly #store: Store;
  readonly #hash: (bytes: Bytes) => Promise<Hash>;
  readonly #index = new PackIndex();
  /** Packs that this tab wrote, or read and found right. One that is merely there may be torn. */
  #verified = new Set<Hash>();
  /** Chunks that are not what they were, in packs that are otherwise whole; by place. */
  readonly #rotten = new Set<string>();
  /** The pack read last: chunks are read one after another, in the order in which they were written. */
  #recent: { readonly name: Hash; readonly bytes: Promise<Bytes | undefined> } | null = null;

  constructor(store: Store, hash: (bytes: Bytes) => Promise<Hash>) {
    this.#store = store;
    this.#hash = hash;
  }

  /** Tells of a pack that a marker names. */
  learn(pack: Pack): void {
    this.#index.add(pack);
  }

  /** True when some pack that it was told of has the chunk, there or not. */
  knows(hash: Hash): boolean {
    return this.#index.placesOf(hash).length > 0;
  }

  /** Undefined where no pack has it, or none has it right. */
  async read(hash: Hash): Promise<Bytes | undefined> {
    for (const place of this.#index.placesOf(hash)) {
      const bytes = await this.#readAt(place, hash);
      if (bytes) return bytes;
    }
    return undefined;
  }

  /** Names of packs on disk. */
  async present(): Promise<ReadonlySet<Hash>> {
    return new Set((await this.#store.keys(PACKS)).map((key) => key.slice(PACKS.length)));
  }

  /** Whether one of the packs that are `present` has the chunk, as far as is known. */
  has(hash: Hash, present: ReadonlySet<Hash>): boolean {
    return this.#index.placesOf(hash).some(({ pack }) => present.has(pack) && !this.#rotten.has(`${pack}/${hash}`));
  }

  /**
   * Those that are not there, or not right. One at a time, so that no more than one is copied, and training has its turns
   * between them. @throws QuotaError
   */
  async write(packs: readonly Pack[], chunks: ReadonlyMap<Hash, Bytes>): Promise<WriteReport> {
    const present = await this.present();
    let [chunksWritten, bytesWritten] = [0, 0];
    for (const pack of packs) {
      if (present.has(pack.name) && (this.#verified.has(pack.name) || (await this.#isRight(pack)))) continue;
      const value = concatBytes(pack.chunks.map(({ hash }) => chunks.get(hash) ?? new Uint8Array()));
      await this.#put(pack, value);
      chunksWritten += pack.chunks.length;
      bytesWritten += value.byteLength;
    }
    return { chunksWritten, bytesWritten };
  }

  /** Reads all chunks of these packs: those that are missing or rotted. */
  async scrub(packs: Iterable<Pack>): Promise<ReadonlySet<Hash>> {
    const missing = new Set<Hash>();
    this.#recent = null;
    for (const { name, chunks } of packs) {
      this.#verified.delete(name);
      for (const { hash } of chunks) if (!(await this.#readIn(name, hash))) missing.add(hash);
    }
    return missing;
  }

  /** Writes chunks into their packs again, wherever they are missing or rotted. @throws QuotaError */
  async repair(chunks: ReadonlyMap<Hash, Bytes>): Promise<void> {
    const packs = new Set([...chunks.keys()].flatMap((hash) => this.#index.placesOf(hash).map(({ pack }) => pack)));
    for (const name of packs) await this.#mend(name, chunks);
  }

  /** All packs but those that are `left` were deleted. */
  retain(left: ReadonlySet<Hash>): void {
    this.#recent = null;
    this.#verified = new Set([...this.#verified].filter((name) => left.has(name)));
    this.#index.retain(left);
    for (const key of this.#rotten) if (!left.has(key.split("/")[0] ?? "")) this.#rotten.delete(key);
  }

  async #put(pack: Pack, value: Bytes): Promise<void> {
    this.#recent = null;
    await this.#store.put([{ key: packKey(pack.name), value }], { durability: "relaxed" });
    this.#verified.add(pack.name);
    this.#index.add(pack);
    for (const { hash } of pack.chunks) this.#rotten.delete(`${pack.name}/${hash}`);
  }

  /** What is on disk is what it was, all of it. */
  async #isRight(pack: Pack): Promise<boolean> {
    this.#index.add(pack);
    for (const { hash } of pack.chunks) if (!(await this.#readIn(pack.name, hash))) return false;
    this.#verified.add(pack.name);
    return true;
  }

  /** The pack with those of `chunks` that it has; what else is missing in it stays so. */
  async #mend(name: Hash, chunks: ReadonlyMap<Hash, Bytes>): Promise<void> {
    const pack = this.#index.pack(name);
    if (!pack) return;
    const size = packBytes(pack);
    const found = await readValue(this.#store, packKey(name));
    const value = found instanceof Uint8Array && found.byteLength === size ? found : new Uint8Array(size);
    const lost = value === found ? [] : pack.chunks.filter(({ hash }) => !chunks.has(hash));
    const rotten = pack.chunks.filter(({ hash }) => this.#rotten.has(`${name}/${hash}`) && !chunks.has(hash));
    for (const { hash } of pack.chunks) {
      const place = this.#placeIn(name, hash);
      const bytes = chunks.get(hash);
      if (place && bytes) value.set(bytes, place.offset);
    }
    await this.#put(pack, value);
    for (const { hash } of [...lost, ...rotten]) this.#rotten.add(`${name}/${hash}`);
    if (lost.length + rotten.length > 0) this.#verified.delete(name);
  }

  #placeIn(pack: Hash, hash: Hash): Place | undefined {
    return this.#index.placesOf(hash).find((place) => place.pack === pack);
  }

  async #readIn(pack: Hash, hash: Hash): Promise<Bytes | undefined> {
    const place = this.#placeIn(pack, hash);
    return place && this.#readAt(place, hash);
  }

  /** A part of a pack, if it is what `hash` names. */
  async #readAt({ pack, offset, bytes: length }: Place, hash: Hash): Promise<Bytes | undefined> {
    const whole = await this.#readPack(pack);
    if (!whole) return undefined;
    const bytes = whole.slice(offset, offset + length);
    const key = `${pack}/${hash}`;
    if ((await this.#hash(bytes)) === hash) {
      this.#rotten.delete(key);
      return bytes;
    }
    if (!this.#rotten.has(key)) this.damaged += 1;
    this.#rotten.add(key);
    this.#verified.delete(pack);
    return undefined;
  }

  #readPack(name: Hash): Promise<Bytes | undefined> {
    if (this.#recent?.name === name) return this.#recent.bytes;
    const bytes = this.#loadPack(name);
    const recent = { name, bytes };
    this.#recent = recent;
    const forget = (): void => void (this.#recent === recent && (this.#recent = null));
    bytes.then((found) => found ?? forget(), forget);
    return bytes;
  }

  /** Undefined where there is none; one that is not as long as it was is deleted. */
  async #loadPack(name: Hash): Promise<Bytes | undefined> {
    const pack = this.#index.pack(name);
    const bytes = await readValue(this.#store, packKey(name));
    if (bytes === undefined || !pack) return undefined;
    if (bytes !== "unreadable" && bytes.byteLength === packBytes(pack)) return bytes;
    this.damaged += 1;
    this.#verified.delete(name);
    await this.#store.delete([packKey(name)]);
    return undefined;
  }
}
