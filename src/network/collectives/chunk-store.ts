/**
 * The chunks of one operation on one rank: values, and what goes over the wire in their place.
 *
 * With a codec, a value that was received as a copy keeps the bytes it came in: they are passed on as they are, and
 * whoever packed a value ends with what the others unpack. So all ranks end with the same bits, and nothing is packed
 * twice on its way.
 */
import { present } from "../../base/assert.ts";
import type { Bytes } from "../../base/bytes.ts";
import type { ChunkCodec } from "./chunk-codec.ts";
import type { Reducer } from "./reducer.ts";

export class ChunkStore {
  readonly #values: Map<number, Bytes>;
  /** Packed forms of the present values. */
  readonly #packed = new Map<number, Bytes>();
  readonly #written = new Set<number>();
  readonly #codec: ChunkCodec | null;
  readonly #reduce: Reducer;

  /** `values` are never changed. */
  constructor(values: ReadonlyMap<number, Bytes>, reduce: Reducer, codec: ChunkCodec | null) {
    this.#values = new Map(values);
    this.#reduce = reduce;
    this.#codec = codec;
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
  write(chunk: number, messages: readonly (Bytes | null)[], emptyBytes: number): void {
    const [only] = messages;
    if (messages.length === 1 && only) return this.#copy(chunk, only);
    const own = (): Bytes => present(this.value(chunk), `chunk ${chunk}`);
    const operands = messages.map((message) => (message === null ? own() : this.#unpack(chunk, message)));
    const [first] = operands;
    const isSum = operands.length > 1;
    this.#written.add(chunk);
    this.#packed.delete(chunk);
    this.#values.set(chunk, isSum ? this.#reduce(operands) : (first?.slice() ?? new Uint8Array(emptyBytes)));
  }

  /** The present value; undefined where there is none. */
  value(chunk: number): Bytes | undefined {
    const packed = this.#packed.get(chunk);
    const value = this.#values.get(chunk);
    if (value !== undefined || packed === undefined || this.#codec === null) return value;
    return this.#codec.decode(chunk, packed);
  }

  /** The value as all ranks have it. */
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
    return this.#codec === null ? message : this.#codec.decode(chunk, message);
  }
}
