/** The asking half of blob exchange, one request at a time: sends it, takes the answers in, ends after silence. */
import type { Bytes } from "../base/bytes.ts";
import type { Clock } from "../base/clock.ts";
import { DeadlineError, PeerLostError, ProtocolError } from "../base/errors.ts";
import type { HearthError } from "../base/errors.ts";
import { BLOB_BYTES_MAX } from "./blob-server.ts";
import { MessageAssembler } from "./collectives/message.ts";
import { deferred } from "./deferred.ts";
import type { Mux } from "./mux.ts";
import type { PeerId } from "./transport/transport.ts";
import { encodeBlobRequest } from "./wire/blob-request.ts";
import type { BlobRequest } from "./wire/blob-request.ts";
import type { Frame } from "./wire/frame.ts";

/** A source that sends nothing for so long is given up. */
export const SILENCE_MS_MAX = 5_000;
const EMPTY: Bytes = new Uint8Array(0);

/** Gets the answer to the request's nth hash; undefined when the source does not have it. */
export type OnAnswer = (index: number, blob: Bytes | undefined) => void;

interface Pending {
  readonly source: PeerId;
  readonly assembler: MessageAssembler;
  readonly count: number;
  readonly onAnswer: OnAnswer;
  readonly end: (error: HearthError | null) => void;
  readonly heard: () => void;
  answered: number;
}

export class BlobRequests {
  readonly #mux: Mux;
  readonly #clock: Clock;
  readonly #pending = new Map<number, Pending>();
  #count = 0;

  constructor(mux: Mux, clock: Clock) {
    this.#mux = mux;
    this.#clock = clock;
    mux.onBlobFrame("blobAnswer", (from, frame) => this.#onAnswer(from, frame));
    mux.onLost((peer, reason) => {
      for (const pending of [...this.#pending.values()]) {
        if (pending.source === peer) pending.end(new PeerLostError(peer, `blobs of ${peer}: lost the link: ${reason}`));
      }
    });
  }

  /**
   * Resolves when every hash of the request is answered. @throws PeerLostError, DeadlineError after 5 s of silence,
   * ProtocolError, and the reason of `signal`, which takes the request back
   */
  async ask(source: PeerId, request: BlobRequest, signal: AbortSignal, onAnswer: OnAnswer): Promise<void> {
    if (signal.aborted) throw signal.reason;
    const operation = (this.#count = (this.#count + 1) >>> 0);
    const { promise, resolve, reject } = deferred<void>();
    let stopTimer = (): void => {};
    const heard = (): void => {
      stopTimer();
      stopTimer = this.#clock.after(SILENCE_MS_MAX, () => end(silent(source)));
    };
    const end = (error: HearthError | null): void => (error === null ? resolve() : reject(error));
    const onAbort = (): void => reject(signal.reason);
    signal.addEventListener("abort", onAbort);
    const assembler = new MessageAssembler(BLOB_BYTES_MAX);
    const pending: Pending = { source, assembler, count: request.hashes.length, onAnswer, end, heard, answered: 0 };
    this.#pending.set(operation, pending);
    try {
      heard();
      this.#send(source, operation, encodeBlobRequest(request)).catch(reject);
      await promise;
    } finally {
      stopTimer();
      signal.removeEventListener("abort", onAbort);
      this.#pending.delete(operation);
      // What is still to come is of no use; a source that is gone need not hear it.
      if (pending.answered < pending.count) this.#send(source, operation, EMPTY).catch(() => {});
    }
  }

  #send(source: PeerId, operation: number, payload: Bytes): Promise<void> {
    const frame: Frame = { type: "blobRequest", incarnation: 0, epoch: 0, operation, chunk: 0, chunks: 1, payload };
    return this.#mux.send(source, frame, "control");
  }

  #onAnswer(from: PeerId, frame: Frame): void {
    const pending = this.#pending.get(frame.operation);
    if (pending === undefined || pending.source !== from || pending.answered === pending.count) {
      return this.#mux.drop(from, "unasked");
    }
    pending.heard();
    if (frame.chunks === 0) return this.#answer(pending, undefined);
    const assembled = pending.assembler.push(frame);
    if (assembled.kind === "whole") return this.#answer(pending, assembled.message);
    if (assembled.kind === "part") return;
    this.#mux.drop(from, "malformed");
    pending.end(new ProtocolError(`blobs of ${from}: ${assembled.message}`));
  }

  #answer(pending: Pending, blob: Bytes | undefined): void {
    pending.onAnswer(pending.answered, blob);
    pending.answered += 1;
    if (pending.answered === pending.count) pending.end(null);
  }
}

function silent(source: PeerId): DeadlineError {
  return new DeadlineError(`blobs of ${source}: expected an answer within ${SILENCE_MS_MAX} ms, found silence`);
}
