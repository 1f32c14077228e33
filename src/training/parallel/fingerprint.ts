/**
 * A slot's result in a few numbers: what two devices say of the same slot when one checks the other.
 *
 * A count sketch (Charikar, Chen and Farach-Colton, 2002): every element is added, with a drawn sign, to one of SKETCH
 * sums drawn for it. The sums of two gradients differ by the sketch of their difference, of which the squares add up to
 * the squared norm on average, with a standard deviation of a third: one element that is off shows as much as all
 * together. Sums are float64, so that the order does not count. One pass: a Philox block for 24 elements.
 */
import { philox } from "../../base/random.ts";
import { SKETCH, type Fingerprint } from "../../network/wire/messages.ts";

/** Of a word's 32 bits: four for the place, one for the sign. */
const BITS = 5;
const ELEMENTS_PER_WORD = 6;
const KEY = [0x68656172, 0x74682e31] as const;

/** Null where the loss or an element is not finite. The draw is a function of `step` and `slot`. */
export function fingerprintOf(loss: number, gradient: Float32Array, step: number, slot: number): Fingerprint | null {
  const sketch = new Float64Array(SKETCH);
  let squares = 0;
  for (let at = 0, block = 0; at < gradient.length; block++) {
    for (let word of philox([block, 0, step, slot], KEY)) {
      const end = Math.min(gradient.length, at + ELEMENTS_PER_WORD);
      for (; at < end; at++, word >>>= BITS) {
        const value = gradient[at] ?? 0;
        const place = word & (SKETCH - 1);
        sketch[place] = (sketch[place] ?? 0) + (word & SKETCH ? -value : value);
        squares += value * value;
      }
    }
  }
  if (!Number.isFinite(loss) || !Number.isFinite(squares)) return null;
  return { loss, norm: Math.sqrt(squares), sketch: [...sketch] };
}
