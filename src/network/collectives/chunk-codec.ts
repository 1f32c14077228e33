/** How chunks are packed for the wire. What a codec makes of numbers is in `codecs/`; here are only bytes. */
import type { Bytes } from "../../base/bytes.ts";

/** Packs and unpacks chunks. The same message gives the same bytes on all ranks. */
export interface ChunkCodec {
  /** `isOwn`: the value is what this rank brought along, and not a sum. */
  encode(chunk: number, value: Bytes, isOwn: boolean): Bytes;
  decode(chunk: number, message: Bytes): Bytes;
}
