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

const BLOCK_BITS = 6;
const BLOCK = 2 ** BLOCK_BITS;

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
      const bits = new Uint32Array(values.buffer, values.byteOffset, values.length);
      const largest = largestOf(bits);
      const scales = blockScales(largest, levels);
      const integers = roundAtRandom(bits, largest, levels, seed, place);
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
      const values = new Float32Array(count);
      for (let at = 0; at < count; at++) values[at] = (integers[at] as number) * (scales[at >>> BLOCK_BITS] as number);
      return values;
    },
  };
}

/**
 * A block with a value that is not finite has the scale NaN, so that all of it is NaN at the other end; one of less than
 * 2^-100 is zeros. A product with a constant is rounded alike on all devices, where quotients are not.
 */
function blockScales(magnitudes: Uint32Array, levels: number): Float32Array<ArrayBuffer> {
  const step = Math.fround(1 / levels);
  const largest = new Float32Array(magnitudes.buffer, magnitudes.byteOffset, magnitudes.length);
  return Float32Array.from(magnitudes, (bits, block) => {
    if (bits >= INFINITE) return Number.NaN;
    return bits < TINY ? 0 : (largest[block] ?? 0) * step;
  });
}

/** The bits of the largest magnitude of each block. */
function largestOf(bits: Uint32Array): Uint32Array<ArrayBuffer> {
  const largest = new Uint32Array(Math.ceil(bits.length / BLOCK));
  for (let at = 0; at < bits.length; at++) {
    const magnitude = (bits[at] as number) & MAGNITUDE;
    const block = Math.floor(at / BLOCK);
    if (magnitude > (largest[block] as number)) largest[block] = magnitude;
  }
  return largest;
}

/**
 * |x| / largest * levels becomes its floor or its ceiling, the nearer one more often; with the sign of x. The same place
 * gives the same numbers. By integers alone, so that GPUs do the same (`compute/kernels/codecs`): the significands are
 * brought to one exponent, which cuts off what is below 2^-23 of the largest.
 */
function roundAtRandom(
  bits: Uint32Array,
  largest: Uint32Array,
  levels: number,
  seed: number,
  { operation, rank, chunk }: CodecPlace,
): Int8Array<ArrayBuffer> {
  const out = new Int8Array(bits.length);
  for (let at = 0; at < bits.length; at += 4) {
    const most = largest[Math.floor(at / BLOCK)] as number; // Blocks are whole fours.
    if (most < TINY || most >= INFINITE) continue;
    const whole = (most & FRACTION) | HIDDEN_BIT;
    const words = philox([at / 4, chunk, operation, rank], [seed >>> 0, levels]);
    for (let lane = 0; lane < Math.min(4, bits.length - at); lane++) {
      const own = bits[at + lane] as number;
      const exponent = (own & MAGNITUDE) >>> 23;
      const shift = (most >>> 23) - exponent;
      const part = exponent === 0 || shift > 23 ? 0 : ((own & FRACTION) | HIDDEN_BIT) >>> shift;
      const down = Math.floor((part * levels) / whole);
      const threshold = Math.floor(((words[lane] as number) >>> 8) * (whole / 0x100_0000));
      const integer = down + (threshold < part * levels - down * whole ? 1 : 0);
      out[at + lane] = own >>> 31 === 0 ? integer : -integer;
    }
  }
  return out;
}

/** Of a float32's bits. */
const MAGNITUDE = 0x7fff_ffff;
const INFINITE = 0x7f80_0000;
const FRACTION = 0x7f_ffff;
const HIDDEN_BIT = 0x80_0000;
/** 2^-100: below it, devices may take numbers for zero. */
const TINY = 0x0d80_0000;

function signed(bytes: Bytes): Int8Array {
  return new Int8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

/** Two values a byte, the first one in the lower half, each moved up by 8. */
function packNibbles(integers: Int8Array): Bytes {
  const bytes = new Uint8Array(Math.ceil(integers.length / 2));
  for (let at = 0; at < bytes.length; at++)
    bytes[at] = ((integers[2 * at] ?? 0) + 8) | (((integers[2 * at + 1] ?? 0) + 8) << 4);
  return bytes;
}

function unpackNibbles(bytes: Bytes, count: number): Int8Array {
  const integers = new Int8Array(count);
  for (let at = 0; at < count; at++) integers[at] = (((bytes[at >> 1] as number) >> (4 * (at & 1))) & 15) - 8;
  return integers;
}
