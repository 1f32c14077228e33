/**
 * The chunks of one operation on one rank: values, and what goes over the wire in their place.
 *
 * With a codec, a value that was received as a copy keeps the bytes it came in: they are passed on as they are, and
 * whoever packed a value ends with what the others unpack, or adds that up. So all ranks end with the same bits, and
 * nothing is packed twice on its way.
 */
import { present } from "../../base/assert.ts";
import type { Bytes } from "../../base/bytes.ts";
import { CorruptDataError } from "../../base/errors.ts";
import type { ChunkCodec } from "./chunk-codec.ts";
import type { Reducer } from "./reducer.ts";

interface ChunkStoreOptions {
  /** Never changed. */
  readonly values: ReadonlyMap<number, Bytes>;
  readonly reduce: Reducer;
  readonly codec?: ChunkCodec | null;
  /** The size of a chunk where it is agreed. */
  readonly bytesOf?: (chunk: number) => number;
}

export class ChunkStore {
  readonly #values: Map<number, Bytes>;
  /** Packed forms of the present values. */
  readonly #packed = new Map<number, Bytes>();
  readonly #written = new Set<number>();
  readonly #codec: ChunkCodec | null;
  readonly #reduce: Reducer;

  readonly #bytesOf: (chunk: number) => number | undefined;

  constructor({ values, reduce, codec = null, bytesOf }: ChunkStoreOptions) {
    this.#values = new Map(values);
    this.#reduce = reduce;
    this.#codec = codec;
    this.#bytesOf = (chunk) => bytesOf?.(chunk);
  }

  /** What is sent of a chunk. */
  message(chunk: number): Bytes {
    const packed = this.#packed.get(chunk);
    if (packed !== undefined) return packed;
    const value = present(this.#values.get(chunk), `chunk ${chunk}`);
    if (this.#codec === null) return value;
    const encoded = this.#codec.encode(chunk, value, !this.#written.has(chunk));
    this.#packed.set(chunk, encoded);
    return encoded;
  }

  /** `messages` are in the order of the sum; null stands for the own value. */
  write(chunk: number, messages: readonly (Bytes | null)[]): void {
    const [only] = messages;
    if (messages.length === 1 && only) return this.#copy(chunk, only);
    const own = (): Bytes => present(this.result(chunk), `chunk ${chunk}`);
    const operands = messages.map((message) => (message === null ? own() : this.#unpack(chunk, message)));
    const [first] = operands;
    const isSum = operands.length > 1;
    this.#written.add(chunk);
    this.#packed.delete(chunk);
    this.#values.set(
      chunk,
      isSum ? this.#reduce(operands) : (first?.slice() ?? new Uint8Array(this.#bytesOf(chunk) ?? 0)),
    );
  }

  /** The present value; undefined where there is none. */
  value(chunk: number): Bytes | undefined {
    const packed = this.#packed.get(chunk);
    const value = this.#values.get(chunk);
    if (value !== undefined || packed === undefined || this.#codec === null) return value;
    return this.#unpack(chunk, packed);
  }

  /** The value as all ranks have it. @throws CorruptDataError */
  result(chunk: number): Bytes | undefined {
    const packed = this.#packed.get(chunk);
    return packed === undefined ? this.value(chunk) : this.#unpack(chunk, packed);
  }

  #copy(chunk: number, message: Bytes): void {
    this.#written.add(chunk);
    this.#values.delete(chunk);
    if (this.#codec === null) this.#values.set(chunk, message);
    else this.#packed.set(chunk, message);
  }

  #unpack(chunk: number, message: Bytes): Bytes {
    if (this.#codec === null) return message;
    const value = this.#codec.decode(chunk, message);
    const agreed = this.#bytesOf(chunk) ?? value.byteLength;
    if (value.byteLength === agreed) return value;
    throw new CorruptDataError(`chunk ${chunk}: expected ${agreed} bytes when unpacked, found ${value.byteLength}`);
  }
}
