/** Numbers out of bytes, in order, never past the end. */
import type { Bytes } from "../../../base/bytes.ts";
import { CorruptDataError } from "../../../base/errors.ts";

export class ByteReader {
  readonly #what: string;
  readonly #bytes: Bytes;
  readonly #view: DataView;
  #at = 0;

  /** `what` is for messages. */
  constructor(what: string, bytes: Bytes) {
    this.#what = what;
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  /** Bytes not read yet. */
  get left(): number {
    return this.#bytes.byteLength - this.#at;
  }

  /** Goes to a place. @throws CorruptDataError */
  seek(at: number): void {
    this.#at = 0;
    this.take(at);
  }

  /** The next `count` bytes, shared. @throws CorruptDataError */
  take(count: number): Bytes {
    if (!(count >= 0 && count <= this.left)) {
      throw new CorruptDataError(`${this.#what}: expected ${count} more bytes, found ${this.left}`);
    }
    const from = this.#at;
    this.#at += count;
    return this.#bytes.subarray(from, this.#at);
  }

  uint8(): number {
    return this.take(1)[0] ?? 0;
  }

  uint16(littleEndian: boolean): number {
    return this.#view.getUint16(this.#advance(2), littleEndian);
  }

  uint32(littleEndian: boolean): number {
    return this.#view.getUint32(this.#advance(4), littleEndian);
  }

  #advance(count: number): number {
    const from = this.#at;
    this.take(count);
    return from;
  }
}
