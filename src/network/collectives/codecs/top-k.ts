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
function largestPlaces(values: Float32Array, count: number): Uint32Array<ArrayBuffer> {
  const size = (value: number): number => (Number.isNaN(value) ? Infinity : Math.abs(value));
  const sizes = Float32Array.from(values, size);
  const threshold = sizes.slice().sort()[values.length - count] ?? 0;
  const above = sizes.reduce((sum, one) => sum + (one > threshold ? 1 : 0), 0);
  let ties = count - above;
  const places = new Uint32Array(count);
  let found = 0;
  for (const [place, one] of sizes.entries()) {
    if (one > threshold || (one === threshold && ties-- > 0)) places[found++] = place;
  }
  return places;
}
