/** Cutting messages into frames, and putting them together again. Links keep the order, so gaps are violations. */
import { concatBytes } from "../../base/bytes.ts";
import type { Bytes } from "../../base/bytes.ts";
import type { Frame } from "../wire/frame.ts";

/** The pieces of a message: at least one, empty for an empty message. Views, not copies. */
export function cutMessage(message: Bytes, pieceBytesMax: number): Bytes[] {
  const pieces: Bytes[] = [];
  for (let at = 0; at === 0 || at < message.byteLength; at += pieceBytesMax) {
    pieces.push(message.subarray(at, at + pieceBytesMax));
  }
  return pieces;
}

export type Assembled =
  | { readonly kind: "part" }
  | { readonly kind: "whole"; readonly message: Bytes }
  | { readonly kind: "fault"; readonly message: string };

/** Frames smaller than this on average are no way to send a large message, but one to fill memory with their headers. */
const PIECE_BYTES_MIN = 256;
const PIECES_MIN = 64;

/** One sender's stream of messages. Holds at most `bytesMax` of an unfinished one. */
export class MessageAssembler {
  readonly #bytesMax: number;
  #pieces: Bytes[] = [];
  #bytes = 0;
  #chunks = 0;

  constructor(bytesMax: number) {
    this.#bytesMax = bytesMax;
  }

  push({ chunk, chunks, payload }: Frame): Assembled {
    if (this.#pieces.length === 0) this.#chunks = chunks;
    if (chunk !== this.#pieces.length || chunks !== this.#chunks || chunk >= chunks) {
      const expected = `expected chunk ${this.#pieces.length} of ${this.#chunks}`;
      return { kind: "fault", message: `${expected}, found chunk ${chunk} of ${chunks}` };
    }
    if (chunks > PIECES_MIN + this.#bytesMax / PIECE_BYTES_MIN) {
      return {
        kind: "fault",
        message: `expected a message of at most ${this.#bytesMax} bytes, found ${chunks} chunks`,
      };
    }
    this.#bytes += payload.byteLength;
    if (this.#bytes > this.#bytesMax) {
      return { kind: "fault", message: `expected at most ${this.#bytesMax} bytes in a message, found more` };
    }
    this.#pieces.push(payload);
    if (chunk < chunks - 1) return { kind: "part" };
    const [only] = this.#pieces;
    const message = only !== undefined && this.#pieces.length === 1 ? only : concatBytes(this.#pieces);
    this.#pieces = [];
    this.#bytes = 0;
    return { kind: "whole", message };
  }
}
