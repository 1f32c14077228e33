/**
 * The giving half of blob exchange: answers requests one blob after another, in the order asked, so that an answer
 * needs no name. One request of each peer at a time; the link's backpressure sets the pace.
 */
import type { Bytes } from "../base/bytes.ts";
import type { Hash } from "../base/hash.ts";
import { cutMessage } from "./collectives/message.ts";
import type { Mux } from "./mux.ts";
import type { PeerId } from "./transport/transport.ts";
import { decodeBlobRequest } from "./wire/blob-request.ts";
import type { BlobRequest } from "./wire/blob-request.ts";
import type { Frame } from "./wire/frame.ts";

/** The bytes of a hash, where this peer has them. */
export type BlobLookup = (hash: Hash) => Promise<Bytes | undefined>;

export const BLOB_BYTES_MAX: number = 64 * 1024 * 1024;
const FRAME_PAYLOAD_BYTES = 64 * 1024;
/** Far above what one peer's fetches have under way. */
const QUEUE_MAX = 64;
const EMPTY: Bytes = new Uint8Array(0);

interface Queued {
  readonly operation: number;
  readonly request: BlobRequest;
  isCancelled: boolean;
}

export class BlobServer {
  readonly #mux: Mux;
  readonly #queues = new Map<PeerId, Queued[]>();
  #lookup: BlobLookup = () => Promise.resolve(undefined);

  constructor(mux: Mux) {
    this.#mux = mux;
    mux.onBlobFrame("blobRequest", (from, frame) => this.#onRequest(from, frame));
    mux.onLost((peer) => {
      for (const queued of this.#queues.get(peer) ?? []) queued.isCancelled = true;
    });
  }

  set lookup(lookup: BlobLookup) {
    this.#lookup = lookup;
  }

  #onRequest(from: PeerId, { operation, payload }: Frame): void {
    const queue = this.#queues.get(from) ?? [];
    if (payload.byteLength === 0) {
      for (const queued of queue) if (queued.operation === operation) queued.isCancelled = true;
      return;
    }
    const request = decodeBlobRequest(payload);
    if (request === null) return this.#mux.drop(from, "malformed");
    if (queue.length >= QUEUE_MAX) return this.#mux.drop(from, "overflow");
    queue.push({ operation, request, isCancelled: false });
    if (queue.length > 1) return; // Somebody is at it.
    this.#queues.set(from, queue);
    void this.#answerAll(from, queue);
  }

  async #answerAll(peer: PeerId, queue: Queued[]): Promise<void> {
    for (let queued = queue[0]; queued !== undefined; queued = queue[0]) {
      try {
        await this.#answer(peer, queued);
      } catch {
        // The link is lost: `onLost` has cancelled the rest.
      }
      queue.shift();
    }
    if (this.#queues.get(peer) === queue) this.#queues.delete(peer);
  }

  async #answer(peer: PeerId, queued: Queued): Promise<void> {
    const { category, hashes } = queued.request;
    let next = this.#find(hashes[0]);
    for (let index = 0; index < hashes.length && !queued.isCancelled; index++) {
      const blob = await next;
      next = this.#find(hashes[index + 1]); // The disk works while the link does.
      const pieces = blob === undefined ? [EMPTY] : cutMessage(blob, FRAME_PAYLOAD_BYTES);
      const chunks = blob === undefined ? 0 : pieces.length;
      for (const [chunk, payload] of pieces.entries()) {
        if (queued.isCancelled) return;
        await this.#mux.send(peer, answerOf(queued.operation, chunk, chunks, payload), category);
      }
    }
  }

  /** What cannot be read is not there; who asked goes to another source. */
  async #find(hash: Hash | undefined): Promise<Bytes | undefined> {
    if (hash === undefined) return undefined;
    const blob = await this.#lookup(hash).catch(() => undefined);
    return blob !== undefined && blob.byteLength <= BLOB_BYTES_MAX ? blob : undefined;
  }
}

function answerOf(operation: number, chunk: number, chunks: number, payload: Bytes): Frame {
  return { type: "blobAnswer", incarnation: 0, epoch: 0, operation, chunk, chunks, payload };
}
