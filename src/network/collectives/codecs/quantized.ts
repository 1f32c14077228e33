/**
 * Small integers with a scale for each block of values, rounded at random so that the mean is right (QSGD, Alistarh et
 * al., 2017). 8 bits and a scale for 64 values are 8.5 bits a value, 4 bits are 4.5.
 */
import { bytesOf, concatBytes } from "../../../base/bytes.ts";
import type { Bytes } from "../../../base/bytes.ts";
import { philox } from "../../../base/random.ts";
import type { Codec, CodecPlace } from "./codec.ts";
import { PackedReader } from "./packed.ts";

/** How values are quantised. */
export interface QuantizeOptions {
  /** Which random numbers round; 0 if left out. */
  readonly seed?: number;
}

const BLOCK = 64;

/** One byte a value and a scale for 64: the largest of a block becomes 127. */
export function int8Codec(options: QuantizeOptions = {}): Codec {
  return quantizedCodec("int8", 127, options);
}

/** Half a byte a value and a scale for 64: the largest of a block becomes 7. */
export function int4Codec(options: QuantizeOptions = {}): Codec {
  return quantizedCodec("int4", 7, options);
}

function quantizedCodec(name: "int8" | "int4", levels: number, { seed = 0 }: QuantizeOptions): Codec {
  return {
    name,
    encode(values, place) {
      const scales = blockScales(values, levels);
      const integers = roundAtRandom(values, scales, levels, seed, place);
      const packed = name === "int8" ? bytesOf(integers) : packNibbles(integers);
      return concatBytes([bytesOf(Uint32Array.of(values.length)), bytesOf(scales), packed]);
    },
    decode(bytes) {
      const reader = new PackedReader(name, bytes);
      const count = reader.count();
      const scales = reader.floats(Math.ceil(count / BLOCK));
      const packed = reader.bytes(name === "int8" ? count : Math.ceil(count / 2));
      reader.end();
      const integers = name === "int8" ? signed(packed) : unpackNibbles(packed, count);
      return Float32Array.from(integers, (integer, at) => integer * (scales[Math.floor(at / BLOCK)] ?? 0));
    },
  };
}

/** A block with a value that is not finite has the scale NaN, so that all of it is NaN at the other end. */
function blockScales(values: Float32Array, levels: number): Float32Array<ArrayBuffer> {
  return Float32Array.from({ length: Math.ceil(values.length / BLOCK) }, (_, block) => {
    let largest = 0;
    for (const value of values.subarray(block * BLOCK, (block + 1) * BLOCK)) {
      if (!Number.isFinite(value)) return Number.NaN;
      largest = Math.max(largest, Math.abs(value));
    }
    return largest / levels;
  });
}

/** x becomes floor(x) or ceil(x), the nearer one more often. The same place gives the same numbers. */
function roundAtRandom(
  values: Float32Array,
  scales: Float32Array,
  levels: number,
  seed: number,
  { operation, rank, chunk }: CodecPlace,
): Int8Array<ArrayBuffer> {
  const out = new Int8Array(values.length);
  for (let at = 0; at < values.length; at += 4) {
    const words = philox([at / 4, chunk, operation, rank], [seed >>> 0, levels]);
    for (let lane = 0; lane < Math.min(4, values.length - at); lane++) {
      const scale = scales[Math.floor((at + lane) / BLOCK)] ?? 0;
      const exact = scale === 0 ? 0 : (values[at + lane] ?? 0) / scale;
      const rounded = Math.floor(exact + (words[lane] ?? 0) / 0x1_0000_0000);
      out[at + lane] = Math.max(-levels, Math.min(levels, rounded));
    }
  }
  return out;
}

function signed(bytes: Bytes): Int8Array {
  return new Int8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

/** Two values a byte, the first one in the lower half, each moved up by 8. */
function packNibbles(integers: Int8Array): Bytes {
  return Uint8Array.from({ length: Math.ceil(integers.length / 2) }, (_, at) => {
    return ((integers[2 * at] ?? 0) + 8) | (((integers[2 * at + 1] ?? 0) + 8) << 4);
  });
}

function unpackNibbles(bytes: Bytes, count: number): Int8Array {
  return Int8Array.from({ length: count }, (_, at) => (((bytes[at >> 1] ?? 0) >> (4 * (at & 1))) & 15) - 8);
}
