/** How numbers are made smaller for the wire. Sums are taken in float32, whatever lies between. */
import { bytesOf, floatsOf } from "../../../base/bytes.ts";
import type { Bytes } from "../../../base/bytes.ts";
import type { ChunkCodec } from "../chunk-codec.ts";

/** Which message is packed: what stochastic rounding and error feedback go by. */
export interface CodecPlace {
  readonly operation: number;
  readonly rank: number;
  readonly chunk: number;
  /** What this rank brought along, and not a sum of several. */
  readonly isOwn: boolean;
}

/** Packs float32 values for the wire. `decode` gives the same values on all ranks. */
export interface Codec {
  readonly name: string;
  /** The bytes that go over the wire. */
  encode(values: Float32Array<ArrayBuffer>, place: CodecPlace): Bytes;
  /** @throws CorruptDataError where the bytes were not packed by this codec */
  decode(bytes: Bytes): Float32Array<ArrayBuffer>;
}

/** A codec for the chunks of one operation. */
export function chunkCodecOf(codec: Codec, operation: number, rank: number): ChunkCodec {
  return {
    encode: (chunk, value, isOwn) => codec.encode(floatsOf(value), { operation, rank, chunk, isOwn }),
    decode: (_, message) => bytesOf(codec.decode(message)),
  };
}
