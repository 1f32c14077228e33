/**
 * Bytes by content, outside any epoch: whoever has a blob serves it, whoever wants it asks by SHA-256 and believes no
 * one. Joiners get the model, restarted members their shards, everybody the data file in this way.
 */
import type { Bytes } from "../base/bytes.ts";
import type { Clock } from "../base/clock.ts";
import { DeadlineError } from "../base/errors.ts";
import type { Hash } from "../base/hash.ts";
import { present } from "../base/assert.ts";
import { withDeadline } from "../base/wait.ts";
import type { WaitOptions } from "../base/wait.ts";
import { BlobFetch } from "./blob-fetch.ts";
import type { BlobFault, WantedBlob } from "./blob-fetch.ts";
import { BlobRequests, SILENCE_MS_MAX } from "./blob-requests.ts";
import { BlobServer } from "./blob-server.ts";
import type { BlobLookup } from "./blob-server.ts";
import type { Mux } from "./mux.ts";
import type { PeerId } from "./transport/transport.ts";
import type { ByteCategory } from "./wire/run-line.ts";

/** What a `BlobExchange` works with. */
export interface BlobExchangeOptions {
  readonly mux: Mux;
  readonly clock: Clock;
}

/** Options of a fetch. */
export interface FetchOptions extends WaitOptions {
  /** What the answers are counted as by those who send them. */
  readonly category: ByteCategory;
  /** Told of each source that failed, whether or not another one had the blob. */
  readonly onFault?: (fault: BlobFault) => void;
  /** Told of each blob as it is had, also where others never come: what a broken transfer need not repeat. */
  readonly onBlob?: (hash: Hash, bytes: Bytes, source: PeerId) => void;
}

/** Bytes by their SHA-256, served to peers and fetched from them. */
export class BlobExchange {
  readonly #mux: Mux;
  readonly #clock: Clock;
  readonly #server: BlobServer;
  readonly #requests: BlobRequests;

  constructor({ mux, clock }: BlobExchangeOptions) {
    this.#mux = mux;
    this.#clock = clock;
    this.#server = new BlobServer(mux);
    this.#requests = new BlobRequests(mux, clock);
  }

  /** Answers others from now on. Until then, and for what `lookup` does not find, they are told "I do not have it". */
  serve(lookup: BlobLookup): void {
    this.#server.lookup = lookup;
  }

  /** One blob of at most 64 MiB. Sources are tried in their order. @throws as `fetchAll` */
  async fetch(hash: Hash, sources: readonly PeerId[], options: FetchOptions): Promise<Bytes> {
    return present((await this.fetchAll([{ hash, sources }], options)).get(hash), "fetched blob");
  }

  /**
   * Many blobs, spread evenly over their sources. A source that lacks a blob, sends other bytes, is lost or silent for
   * 5 s is passed over for the next one. @throws MissingDataError with all hashes that no source could give,
   * DeadlineError, AbortedError
   */
  async fetchAll(wanted: readonly WantedBlob[], options: FetchOptions): Promise<Map<Hash, Bytes>> {
    const { deadlineMs, signal, category, onFault, onBlob } = options;
    const what = `fetching ${wanted.length} blobs`;
    const end = new AbortController();
    const fetch = new BlobFetch(this.#withoutSelf(wanted), {
      ask: async (source, hashes, onAnswer) => {
        if (!this.#mux.isLinked(source)) {
          await this.#mux.connect(source, { deadlineMs: Math.min(SILENCE_MS_MAX, deadlineMs), signal: end.signal });
        }
        await this.#requests.ask(source, { category, hashes }, end.signal, onAnswer);
      },
      onFault: onFault ?? (() => {}),
      onBlob: onBlob ?? (() => {}),
    });
    try {
      return await withDeadline(what, fetch.run(), this.#clock, { deadlineMs, signal });
    } catch (error) {
      fetch.stop();
      end.abort(error);
      if (!(error instanceof DeadlineError)) throw error;
      const missing = fetch.missing();
      const some = `${missing.slice(0, 5).join(", ")}${missing.length > 5 ? ", ..." : ""}`;
      throw new DeadlineError(
        `${what}: expected all within ${deadlineMs} ms, found ${missing.length} missing: ${some}`,
      );
    }
  }

  #withoutSelf(wanted: readonly WantedBlob[]): WantedBlob[] {
    return wanted.map(({ hash, sources }) => ({
      hash,
      sources: sources.filter((source) => source !== this.#mux.self),
    }));
  }
}
