/** One token a byte of UTF-8: every text has tokens, and the vocabulary is always 256. */

export class ByteTokenizer {
  readonly vocabularySize = 256;
  readonly #encoder = new TextEncoder();
  readonly #decoder = new TextDecoder("utf-8", { ignoreBOM: true });

  /** The bytes of `text` in UTF-8. */
  encode(text: string): Int32Array<ArrayBuffer> {
    return Int32Array.from(this.#encoder.encode(text));
  }

  /** Bytes that are no UTF-8 become U+FFFD. */
  decode(tokens: Iterable<number>): string {
    return this.#decoder.decode(Uint8Array.from(tokens));
  }
}
