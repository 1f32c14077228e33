/** Puts a message together from frames that come in any order, perhaps more than once. */
import { concatBytes } from "../../base/bytes.ts";
import type { Bytes } from "../../base/bytes.ts";
import type { Frame } from "../wire/frame.ts";

/** What became of a frame. */
export type Placed =
  | { readonly kind: "part" }
  | { readonly kind: "duplicate" }
  | { readonly kind: "whole"; readonly message: Bytes }
  | { readonly kind: "fault"; readonly message: string };

const PIECES_MIN = 64;

/** Bounds of a message. */
export interface MessageBounds {
  readonly bytesMax: number;
  /** Frames smaller than this on average are no way to send a large message, but one to fill memory with headers. */
  readonly pieceBytesMin: number;
}

/** One message on its way in. Holds at most `bytesMax`. */
export class ScatteredMessage {
  readonly #bytesMax: number;
  readonly #piecesMax: number;
  readonly #pieces = new Map<number, Bytes>();
  #bytes = 0;
  #chunks: number | null = null;

  constructor({ bytesMax, pieceBytesMin }: MessageBounds) {
    this.#bytesMax = bytesMax;
    this.#piecesMax = PIECES_MIN + bytesMax / pieceBytesMin;
  }

  add({ chunk, chunks, payload }: Frame): Placed {
    this.#chunks ??= chunks;
    if (chunks !== this.#chunks || chunk >= chunks) {
      return { kind: "fault", message: `expected a chunk of ${this.#chunks}, found chunk ${chunk} of ${chunks}` };
    }
    if (chunks > this.#piecesMax) {
      const found = `expected a message of at most ${this.#bytesMax} bytes, found ${chunks} chunks`;
      return { kind: "fault", message: found };
    }
    if (this.#pieces.has(chunk)) return { kind: "duplicate" };
    this.#bytes += payload.byteLength;
    if (this.#bytes > this.#bytesMax) {
      return { kind: "fault", message: `expected at most ${this.#bytesMax} bytes in a message, found more` };
    }
    this.#pieces.set(chunk, payload);
    if (this.#pieces.size < chunks) return { kind: "part" };
    if (chunks === 1) return { kind: "whole", message: payload };
    const inOrder = Array.from({ length: chunks }, (_, at) => this.#pieces.get(at) ?? payload);
    return { kind: "whole", message: concatBytes(inOrder) };
  }
}
