/**
 * Generations of striped checkpoints in one store: chunks first, then the manifest, then one compare-and-swap of the
 * head, which names the two newest manifests. So a checkpoint is there whole or not at all, and of two writers one wins.
 */
import * as v from "valibot";
import type { Bytes } from "../../../base/bytes.ts";
import { CorruptDataError } from "../../../base/errors.ts";
import { hashBytes, hashText, type Hash } from "../../../base/hash.ts";
import type { Entry, Store } from "../../../storage/store.ts";
import { seal, unseal } from "../marker.ts";
import { decodeManifest, encodeManifest, hashesOf, type Manifest } from "./manifest.ts";

const GENERATIONS_KEPT = 2;
/** One put takes no more, but for a chunk that is larger. */
const BATCH_BYTES = 8 * 1024 * 1024;

const head = v.object({ generations: v.array(v.object({ generation: v.number(), manifest: v.string() })) });
type Head = v.InferOutput<typeof head>;

export interface CommitReport {
  /** False when another writer committed meanwhile: nothing changed. */
  readonly isCommitted: boolean;
  readonly chunksWritten: number;
  readonly bytesWritten: number;
}

export class StripedGenerations {
  readonly #store: Store;
  readonly #run: string;
  readonly #prefix: string;

  constructor(store: Store, run: string) {
    this.#store = store;
    this.#run = run;
    this.#prefix = `striped/${hashText(run).slice(0, 32)}`;
  }

  /** Manifests that are whole, newest first. A damaged one is passed over: the one before it is there. */
  async read(): Promise<Manifest[]> {
    const found: Manifest[] = [];
    for (const { manifest } of (await this.#head()).value.generations) {
      const bytes = await this.#store.get(this.#key("manifest", manifest));
      if (bytes && hashBytes(bytes) === manifest) found.push(decodeManifest(bytes, this.#run));
    }
    return found.sort((a, b) => b.generation - a.generation);
  }

  /**
   * Writes those of `chunks` that are not there, then the manifest, then the head; and collects what no kept generation
   * names. @throws CorruptDataError when the manifest does not fit the run; QuotaError: the old generations stay
   */
  async commit(manifest: Manifest, chunks: ReadonlyMap<Hash, Bytes>): Promise<CommitReport> {
    const before = await this.#head();
    const bytes = encodeManifest(manifest);
    decodeManifest(bytes, this.#run);
    const report = await this.#putChunks(chunks);
    const hash = hashBytes(bytes);
    await this.#store.put([{ key: this.#key("manifest", hash), value: bytes }], { durability: "strict" });
    const generations = [{ generation: manifest.generation, manifest: hash }, ...before.value.generations];
    const next: Head = { generations: generations.slice(0, GENERATIONS_KEPT) };
    const isNewer = before.value.generations.every(({ generation }) => generation < manifest.generation);
    const isCommitted = isNewer && (await this.#store.swap(this.#key("head"), before.bytes, seal(next)));
    if (isCommitted) await this.#collect(next);
    return { isCommitted, ...report };
  }

  /** The chunk, or undefined where it is missing or is something else. */
  async readChunk(hash: Hash): Promise<Bytes | undefined> {
    const bytes = await this.#store.get(this.#key("chunk", hash)).catch((error: unknown) => {
      if (error instanceof CorruptDataError) return undefined;
      throw error;
    });
    return bytes && hashBytes(bytes) === hash ? bytes : undefined;
  }

  /** Writes one chunk again, as a repair does. @throws CorruptDataError, QuotaError */
  async writeChunk(hash: Hash, bytes: Bytes): Promise<void> {
    const found = hashBytes(bytes);
    if (found !== hash) throw new CorruptDataError(`writeChunk: expected bytes with SHA-256 ${hash}, found ${found}`);
    await this.#store.put([{ key: this.#key("chunk", hash), value: bytes }], { durability: "relaxed" });
  }

  async #putChunks(chunks: ReadonlyMap<Hash, Bytes>): Promise<{ chunksWritten: number; bytesWritten: number }> {
    const prefix = this.#key("chunk", "");
    const present = new Set((await this.#store.keys(prefix)).map((key) => key.slice(prefix.length)));
    const missing: Entry[] = [];
    for (const [hash, value] of chunks) {
      if (!present.has(hash) || !(await this.readChunk(hash))) missing.push({ key: prefix + hash, value });
    }
    for (let batch: Entry[] = [], size = 0, at = 0; at < missing.length; at++) {
      const entry = missing[at] as Entry;
      batch.push(entry);
      size += entry.value.byteLength;
      if (size < BATCH_BYTES && at < missing.length - 1) continue;
      await this.#store.put(batch, { durability: "relaxed" });
      [batch, size] = [[], 0];
    }
    return {
      chunksWritten: missing.length,
      bytesWritten: missing.reduce((sum, { value }) => sum + value.byteLength, 0),
    };
  }

  async #collect({ generations }: Head): Promise<void> {
    const kept = new Set<string>([this.#key("head")]);
    for (const { manifest } of generations) {
      const key = this.#key("manifest", manifest);
      const bytes = await this.#store.get(key);
      kept.add(key);
      for (const hash of bytes ? hashesOf(decodeManifest(bytes, this.#run)) : []) kept.add(this.#key("chunk", hash));
    }
    const keys = await this.#store.keys(`${this.#prefix}/`);
    await this.#store.delete(keys.filter((key) => !kept.has(key)));
  }

  async #head(): Promise<{ bytes: Bytes | undefined; value: Head }> {
    const bytes = await this.#store.get(this.#key("head"));
    const found = bytes && unseal(bytes);
    return { bytes, value: v.is(head, found) ? found : { generations: [] } };
  }

  #key(kind: "head" | "manifest" | "chunk", hash?: string): string {
    return `${this.#prefix}/${kind}${hash === undefined ? "" : `/${hash}`}`;
  }
}
