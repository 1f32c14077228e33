/** Reading what codecs wrote: numbers one after another, with a check of every length. */
import type { Bytes } from "../../../base/bytes.ts";
import { CorruptDataError } from "../../../base/errors.ts";

/** More values in a message than any buffer has. */
const VALUES_MAX = 64 * 1024 * 1024;

/** Reads a packed message from its beginning. */
export class PackedReader {
  readonly #name: string;
  readonly #bytes: Bytes;
  readonly #view: DataView;
  #at = 0;

  constructor(name: string, bytes: Bytes) {
    this.#name = name;
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  /** A count of values. @throws CorruptDataError */
  count(): number {
    const [count = 0] = this.words(1);
    if (count > VALUES_MAX) throw this.#corrupt(`at most ${VALUES_MAX} values`, `${count}`);
    return count;
  }

  /** @throws CorruptDataError */
  words(count: number): Uint32Array<ArrayBuffer> {
    const at = this.#take(4 * count);
    return Uint32Array.from({ length: count }, (_, index) => this.#view.getUint32(at + 4 * index, true));
  }

  /** @throws CorruptDataError */
  floats(count: number): Float32Array<ArrayBuffer> {
    const at = this.#take(4 * count);
    return new Float32Array(this.#bytes.slice(at, at + 4 * count).buffer);
  }

  /** @throws CorruptDataError */
  bytes(count: number): Bytes {
    const at = this.#take(count);
    return this.#bytes.subarray(at, at + count);
  }

  /** @throws CorruptDataError where bytes are left over */
  end(): void {
    if (this.#at < this.#bytes.byteLength) throw this.#corrupt(`${this.#at} bytes`, `${this.#bytes.byteLength}`);
  }

  #take(bytes: number): number {
    const at = this.#at;
    this.#at += bytes;
    if (this.#at > this.#bytes.byteLength) throw this.#corrupt(`${this.#at} bytes`, `${this.#bytes.byteLength}`);
    return at;
  }

  #corrupt(expected: string, found: string): CorruptDataError {
    return new CorruptDataError(`${this.#name}: expected ${expected}, found ${found}`);
  }
}
