/** Getting the room's data file: from this device's disk, from a file that a person drops, or from the other members. */
import type { Bytes } from "../../base/bytes.ts";
import type { Clock } from "../../base/clock.ts";
import { OptionError } from "../../base/errors.ts";
import { hashBytes, type Hash } from "../../base/hash.ts";
import { sleep } from "../../base/wait.ts";
import type { BlobExchange } from "../../network/blob-exchange.ts";
import type { PeerId } from "../../network/transport/transport.ts";
import type { DataSpec } from "../../network/wire/messages.ts";
import type { ChunkStore } from "../../training/checkpoint/chunk-store.ts";

const RETRY_MS = 1_000;
const FETCH_MS_MAX = 60_000;

export interface RoomDataOptions {
  readonly chunks: ChunkStore;
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
  #spec: DataSpec | null = null;
  #offered: Bytes | null = null;
  #held: { readonly hash: Hash; readonly bytes: Bytes } | null = null;

  constructor(options: RoomDataOptions) {
    this.#options = options;
  }

  /** The data file while it is in memory: served to members that join later. */
  find(hash: Hash): Bytes | undefined {
    return this.#held?.hash === hash ? this.#held.bytes : undefined;
  }

  /** @throws OptionError when the room's data is known to be another file */
  async offer(bytes: Bytes): Promise<void> {
    if (this.#spec && hashBytes(bytes) !== this.#spec.hash) {
      throw new OptionError(`This is not the file the room trains on: it wants “${this.#spec.name}”.`);
    }
    this.#offered = bytes;
  }

  /** Waits until the file is there, however long people take: the page says what is missing meanwhile. */
  async load(spec: DataSpec): Promise<Bytes> {
    this.#spec = spec;
    const { chunks, onMissing, clock, signal, note } = this.#options;
    for (;;) {
      const bytes = this.#takeOffered(spec) ?? (await chunks.loadBlob(spec.hash)) ?? (await this.#fetch(spec));
      if (bytes) {
        onMissing(null);
        this.#held = { hash: spec.hash, bytes };
        // A full disk costs a later visit the transfer, nothing more.
        await chunks.saveBlob(spec.hash, bytes).catch(() => note("The data file could not be kept on this device."));
        return bytes;
      }
      onMissing(spec.name);
      await sleep(RETRY_MS, clock, signal);
    }
  }

  #takeOffered(spec: DataSpec): Bytes | undefined {
    const offered = this.#offered;
    this.#offered = null;
    return offered && hashBytes(offered) === spec.hash ? offered : undefined;
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
