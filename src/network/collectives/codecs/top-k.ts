/** Only the largest values, with their places; the rest is zero. For gradients, with `withErrorFeedback`. */
import { bytesOf, concatBytes } from "../../../base/bytes.ts";
import { CorruptDataError, OptionError } from "../../../base/errors.ts";
import type { Codec } from "./codec.ts";
import { PackedReader } from "./packed.ts";

/** Sends `fraction` of the values, at least one: 8 bytes each. Of equal sizes the first ones. */
export function topKCodec(fraction: number): Codec {
  if (!(fraction > 0 && fraction <= 1)) throw new OptionError(`topKCodec: expected a part of 1, found ${fraction}`);
  return {
    name: `top-${fraction}`,
    encode(values) {
      const count = Math.min(values.length, Math.max(1, Math.round(fraction * values.length)));
      const places = largestPlaces(values, count);
      const kept = Float32Array.from(places, (place) => values[place] ?? 0);
      return concatBytes([bytesOf(Uint32Array.of(values.length, count)), bytesOf(places), bytesOf(kept)]);
    },
    decode(bytes) {
      const reader = new PackedReader("top-k", bytes);
      const values = new Float32Array(reader.count());
      const count = reader.count();
      const places = reader.words(count);
      const kept = reader.floats(count);
      reader.end();
      for (const [at, place] of places.entries()) {
        if (place >= values.length) throw new CorruptDataError(`top-k: expected a place below ${values.length}`);
        values[place] = kept[at] ?? 0;
      }
      return values;
    },
  };
}

/** In ascending order. NaN counts as the largest of all: it must not get lost. */
function largestPlaces(values: Float32Array<ArrayBuffer>, count: number): Uint32Array<ArrayBuffer> {
  const sizes = new Uint32Array(values.buffer, values.byteOffset, values.length).slice();
  for (let at = 0; at < sizes.length; at++) sizes[at] = Math.min((sizes[at] as number) & MAGNITUDE, INFINITE);
  const threshold = thresholdOf(sizes, count);
  let { ties } = threshold;
  const places = new Uint32Array(count);
  let found = 0;
  for (let place = 0; place < sizes.length; place++) {
    const size = sizes[place] as number;
    if (size > threshold.size || (size === threshold.size && ties-- > 0)) places[found++] = place;
  }
  return places;
}

/** Of a float32's bits: those of its size, which grow with it. */
const MAGNITUDE = 0x7fff_ffff;
const INFINITE = 0x7f80_0000;
const DIGIT_BITS = 16;
const DIGITS = 2 ** DIGIT_BITS;

/** The smallest of the `count` largest sizes, and how many of its like are among them: by its upper half, then the lower. */
function thresholdOf(sizes: Uint32Array, count: number): { readonly size: number; readonly ties: number } {
  let [size, ties] = [0, count];
  for (const shift of [DIGIT_BITS, 0]) {
    const counts = new Uint32Array(DIGITS);
    for (const one of sizes) {
      if (shift > 0 || one >>> DIGIT_BITS === size >>> DIGIT_BITS) {
        const digit = (one >>> shift) % DIGITS;
        counts[digit] = (counts[digit] as number) + 1;
      }
    }
    let digit = DIGITS - 1;
    while (digit > 0 && (counts[digit] as number) < ties) ties -= counts[digit--] as number;
    size += digit * 2 ** shift;
  }
  return { size, ties };
}
