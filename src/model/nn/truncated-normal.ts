/** Normal numbers within bounds, out of uniform and normal ones alone: no function that platforms round differently. */
import type { Random } from "../../base/random.ts";

/** Intervals that reach from 0 at least so far are wide: normal numbers are drawn until one lies inside. */
const WIDE = 0.5;

/** A standard normal number in [low, high], low < high. */
export function truncatedNormal(random: Random, low: number, high: number): number {
  // An interval that has [0, 0.5], or [-0.5, 0], inside holds 19% of all numbers or more.
  if ((low <= 0 && high >= WIDE) || (high >= 0 && low <= -WIDE)) {
    for (;;) {
      const value = random.normal();
      if (value >= low && value <= high) return value;
    }
  }
  return low >= 0 ? tail(random, low, high) : high <= 0 ? -tail(random, -high, -low) : narrow(random, low, high);
}

/** In [low, high] about 0, not wide: uniform numbers, kept with the probability exp(-x^2 / 2). */
function narrow(random: Random, low: number, high: number): number {
  for (;;) {
    const value = low + (high - low) * random.uniform();
    if (happens(random, (value * value) / 2)) return value;
  }
}

/**
 * In [low, high], 0 <= low: uniform numbers on the part where the density is more than e^-16 of its largest, kept
 * with the probability exp(-(x^2 - low^2) / 2). What is cut off beyond weighs about 1e-7 of the rest.
 */
function tail(random: Random, low: number, high: number): number {
  const far = Math.min(high, Math.sqrt(low * low + 32));
  for (;;) {
    const value = low + (far - low) * random.uniform();
    if (happens(random, ((value - low) * (value + low)) / 2)) return value;
  }
}

/**
 * True with the probability e^-x, x >= 0, exactly (von Neumann, 1951): the length of a falling run of uniform numbers
 * below x <= 1 is even with the probability e^-x.
 */
function happens(random: Random, x: number): boolean {
  let rest = x;
  for (; rest > 1; rest -= 1) if (!happensWithin1(random, 1)) return false;
  return happensWithin1(random, rest);
}

function happensWithin1(random: Random, x: number): boolean {
  let length = 0;
  for (let last = x; ; length += 1) {
    const next = random.uniform();
    if (next >= last) return length % 2 === 0;
    last = next;
  }
}
