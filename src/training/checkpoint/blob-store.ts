/**
 * Data files on this device's disk, by the SHA-256 of the whole: kept so that a tab that comes back need not fetch them
 * from its peers again. Pieces first, then a sealed record that makes them visible. The last few files saved stay.
 */
import { concatBytes } from "../../base/bytes.ts";
import type { Bytes } from "../../base/bytes.ts";
import type { Clock } from "../../base/clock.ts";
import { CorruptDataError, OptionError } from "../../base/errors.ts";
import { hashBytes } from "../../base/hash.ts";
import type { Hash } from "../../base/hash.ts";
import * as v from "valibot";
import type { Store } from "../../storage/store.ts";
import { seal, unseal } from "./marker.ts";
import { readValue } from "./read-value.ts";

const BLOB_BYTES_MAX = 64 * 1024 * 1024;
const PIECE_BYTES = 4 * 1024 * 1024;
/** Files that stay on disk: at most 256 MiB. */
const BLOBS_KEPT = 4;
const BLOBS = "blob/";
const PIECES = "piece/";

const record = v.object({ wallMs: v.number(), pieces: v.pipe(v.number(), v.safeInteger(), v.minValue(0)) });

export class BlobStore {
  /** Files found with a piece missing or altered. */
  damaged = 0;
  readonly #store: Store;
  readonly #clock: Clock;

  constructor(store: Store, clock: Clock) {
    this.#store = store;
    this.#clock = clock;
  }

  /** Nothing is visible until all of it is written. */
  async save(hash: Hash, bytes: Bytes): Promise<void> {
    if (bytes.byteLength > BLOB_BYTES_MAX) {
      throw new OptionError(`saveBlob: expected at most ${BLOB_BYTES_MAX} bytes, found ${bytes.byteLength}`);
    }
    const found = hashBytes(bytes);
    if (found !== hash) throw new CorruptDataError(`saveBlob: expected bytes with SHA-256 ${hash}, found ${found}`);
    const pieces = Math.ceil(bytes.byteLength / PIECE_BYTES);
    try {
      for (let i = 0; i < pieces; i++) {
        const value = bytes.subarray(i * PIECE_BYTES, (i + 1) * PIECE_BYTES);
        await this.#store.put([{ key: pieceKey(hash, i), value }], { durability: "relaxed" });
      }
      const value = seal({ wallMs: this.#clock.wallMs(), pieces });
      await this.#store.put([{ key: BLOBS + hash, value }], { durability: "strict" });
    } catch (error) {
      await this.#remove(hash).catch(() => {});
      throw error;
    }
    await this.#trim(hash);
  }

  /** The whole file, its hash checked, or undefined. */
  async load(hash: Hash): Promise<Bytes | undefined> {
    const sealed = await this.#read(BLOBS + hash);
    if (sealed === undefined) return undefined;
    const found = unseal(sealed);
    const parts: Bytes[] = [];
    for (let i = 0; v.is(record, found) && i < found.pieces; i++) {
      const part = await this.#read(pieceKey(hash, i));
      if (!part) break;
      parts.push(part);
    }
    const bytes = concatBytes(parts);
    if (hashBytes(bytes) === hash) return bytes;
    this.damaged += 1;
    await this.#remove(hash);
    return undefined;
  }

  /** Deletes all but the newest files; `newest` counts as such whatever the clock says. */
  async #trim(newest: Hash): Promise<void> {
    const saved: { hash: Hash; wallMs: number }[] = [];
    for (const key of await this.#store.keys(BLOBS)) {
      const hash = key.slice(BLOBS.length);
      if (hash === newest) continue;
      const found = unseal((await this.#read(key)) ?? new Uint8Array());
      saved.push({ hash, wallMs: v.is(record, found) ? found.wallMs : 0 });
    }
    saved.sort((a, b) => b.wallMs - a.wallMs);
    for (const { hash } of saved.slice(BLOBS_KEPT - 1)) await this.#remove(hash);
  }

  async #remove(hash: Hash): Promise<void> {
    await this.#store.delete([BLOBS + hash]);
    await this.#store.delete(await this.#store.keys(`${PIECES}${hash}/`));
  }

  /** An unreadable value is an empty one: its hash will not fit. */
  async #read(key: string): Promise<Bytes | undefined> {
    const found = await readValue(this.#store, key);
    return found === "unreadable" ? new Uint8Array() : found;
  }
}

function pieceKey(hash: Hash, index: number): string {
  return `${PIECES}${hash}/${String(index).padStart(4, "0")}`;
}
