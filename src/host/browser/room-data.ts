/** Getting the room's files, its data and the state that it goes on from: from this device's disk, from a file that a person drops, or from the other members. */
import type { Bytes } from "../../base/bytes.ts";
import type { Clock } from "../../base/clock.ts";
import { OptionError } from "../../base/errors.ts";
import { hashBytes, type Hash } from "../../base/hash.ts";
import { sleep } from "../../base/wait.ts";
import type { BlobExchange } from "../../network/blob-exchange.ts";
import type { PeerId } from "../../network/transport/transport.ts";
import type { DataSpec } from "../../network/wire/run-spec.ts";
import type { Chunks } from "../../training/checkpoint/chunks.ts";

const RETRY_MS = 1_000;
const FETCH_MS_MAX = 60_000;

export interface RoomDataOptions {
  readonly chunks: Chunks;
  readonly blobs: BlobExchange;
  readonly clock: Clock;
  readonly signal: AbortSignal;
  /** Members that may have it, as of now. */
  readonly peers: () => readonly PeerId[];
  /** Called with the file's name when neither disk nor members have it. */
  readonly onMissing: (name: string | null) => void;
  readonly note: (text: string) => void;
}

export class RoomData {
  readonly #options: RoomDataOptions;
  #wanted: readonly DataSpec[] = [];
  readonly #offered = new Map<Hash, Bytes>();
  readonly #held = new Map<Hash, Bytes>();

  constructor(options: RoomDataOptions) {
    this.#options = options;
  }

  /** A file of the room while it is in memory: served to members that join later. */
  find(hash: Hash): Bytes | undefined {
    return this.#held.get(hash);
  }

  /** @throws OptionError when the room's files are known to be others */
  async offer(bytes: Bytes): Promise<void> {
    const hash = hashBytes(bytes);
    if (this.#wanted.length > 0 && this.#wanted.every((spec) => spec.hash !== hash)) {
      const names = this.#wanted.map(({ name }) => `“${name}”`).join(" and ");
      throw new OptionError(`This is not the file the room trains on: it wants ${names}.`);
    }
    this.#offered.set(hash, bytes);
  }

  /** All of them, in order. Waits until they are there, however long people take: the page says what is missing meanwhile. */
  async load(specs: readonly DataSpec[]): Promise<Bytes[]> {
    this.#wanted = specs;
    const files: Bytes[] = [];
    for (const spec of specs) files.push(await this.#load(spec));
    this.#offered.clear();
    return files;
  }

  async #load(spec: DataSpec): Promise<Bytes> {
    const { chunks, onMissing, clock, signal, note } = this.#options;
    for (;;) {
      const bytes = this.#offered.get(spec.hash) ?? (await chunks.loadBlob(spec.hash)) ?? (await this.#fetch(spec));
      if (bytes) {
        onMissing(null);
        this.#held.set(spec.hash, bytes);
        // A full disk costs a later visit the transfer, nothing more.
        await chunks.saveBlob(spec.hash, bytes).catch(() => note(`“${spec.name}” could not be kept on this device.`));
        return bytes;
      }
      onMissing(spec.name);
      await sleep(RETRY_MS, clock, signal);
    }
  }

  async #fetch(spec: DataSpec): Promise<Bytes | undefined> {
    const { blobs, peers, signal } = this.#options;
    const sources = peers();
    if (sources.length === 0) return undefined;
    try {
      return await blobs.fetch(spec.hash, sources, { deadlineMs: FETCH_MS_MAX, signal, category: "join" });
    } catch {
      signal.throwIfAborted();
      return undefined; // Nobody has it yet: asked again, and the page asks people meanwhile.
    }
  }
}
