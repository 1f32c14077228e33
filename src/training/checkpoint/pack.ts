/**
 * Packs: values of up to four MiB on disk, each some chunks end to end. Chunks of small models are a few kB, and a value
 * of the storage costs the same however small it is. Pure: which chunks go together, and where each of them is.
 */
import type { Bytes } from "../../base/bytes.ts";
import { hashList, type Hash } from "../../base/hash.ts";

/** More only where one chunk is larger. */
export const PACK_BYTES_MAX: number = 4 * 1024 * 1024;

/** Chunks in the order of their bytes. */
export interface Pack {
  /** Of what its chunks are named: the same chunks in the same order make the same pack. */
  readonly name: Hash;
  readonly chunks: readonly { readonly hash: Hash; readonly bytes: number }[];
}

export interface Place {
  readonly pack: Hash;
  readonly offset: number;
  readonly bytes: number;
}

/** Together in the order in which they come, so that what is restored together is read together. */
export function cutPacks(chunks: ReadonlyMap<Hash, Bytes>, bytesMax: number): Pack[] {
  const packs: Pack[] = [];
  let open: { hash: Hash; bytes: number }[] = [];
  let total = 0;
  const close = (): void => {
    if (open.length > 0) packs.push({ name: packName(open), chunks: open });
    [open, total] = [[], 0];
  };
  for (const [hash, { byteLength: bytes }] of chunks) {
    if (total + bytes > bytesMax) close();
    open.push({ hash, bytes });
    total += bytes;
  }
  close();
  return packs;
}

function packName(chunks: Pack["chunks"]): Hash {
  return hashList(
    "pack",
    chunks.map(({ hash }) => hash),
  );
}

export function packBytes({ chunks }: Pack): number {
  return chunks.reduce((sum, { bytes }) => sum + bytes, 0);
}

/** Which packs have which chunks, as far as markers told. A chunk may be in several. */
export class PackIndex {
  readonly #packs = new Map<Hash, Pack>();
  readonly #places = new Map<Hash, Place[]>();

  add(pack: Pack): void {
    if (this.#packs.has(pack.name)) return;
    this.#packs.set(pack.name, pack);
    let offset = 0;
    for (const { hash, bytes } of pack.chunks) {
      const places = this.#places.get(hash);
      const place = { pack: pack.name, offset, bytes };
      if (places) places.push(place);
      else this.#places.set(hash, [place]);
      offset += bytes;
    }
  }

  pack(name: Hash): Pack | undefined {
    return this.#packs.get(name);
  }

  placesOf(hash: Hash): readonly Place[] {
    return this.#places.get(hash) ?? [];
  }

  /** Forgets all packs but those that are in `left`. */
  retain(left: ReadonlySet<Hash>): void {
    const kept = [...this.#packs.values()].filter(({ name }) => left.has(name));
    if (kept.length === this.#packs.size) return;
    this.#packs.clear();
    this.#places.clear();
    for (const pack of kept) this.add(pack);
  }
}
