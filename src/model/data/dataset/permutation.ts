/**
 * A random order of 0 .. n - 1 that is a function of seed and labels alone, the same on every machine.
 *
 * Up to 65,536 numbers it is a table (Fisher and Yates). Above, a Feistel network over the next power of 4, with
 * numbers outside the range sent through again: any place of the order is computed on its own, without memory.
 * Source: Black & Rogaway, "Ciphers with Arbitrary Finite Domains" (CT-RSA 2002), section 3 (cycle walking).
 */
import { OptionError } from "../../../base/errors.ts";
import { Random } from "../../../base/random.ts";

const TABLE_MAX = 65_536;
const ROUNDS = 8;
/** Two halves of 26 bits at most: whole numbers in doubles. */
const LENGTH_MAX = 2 ** 52;

/** Gives the number at a place of the order. */
export type Order = (place: number) => number;

/** The order of `length` numbers named by `seed` and `labels`. @throws OptionError */
export function permutation(length: number, seed: number | string, ...labels: readonly (number | string)[]): Order {
  if (!Number.isInteger(length) || length < 0 || length > LENGTH_MAX) {
    throw new OptionError(`permutation: expected a length from 0 to 2^52, found ${length}`);
  }
  const random = new Random(seed, "permutation", ...labels);
  if (length > TABLE_MAX) return feistelOrder(length, random);
  const table = Uint32Array.from({ length }, (_, i) => i);
  for (let i = length - 1; i > 0; i--) {
    const j = random.below(i + 1);
    const moved = table[i] ?? 0;
    table[i] = table[j] ?? 0;
    table[j] = moved;
  }
  return (place) => table[place] ?? 0;
}

/** The order as a network keyed by `random`, for any length from 1. */
export function feistelOrder(length: number, random: Random): Order {
  let halfBits = 1;
  while (4 ** halfBits < length) halfBits += 1;
  const half = 2 ** halfBits;
  const keys = Array.from({ length: ROUNDS }, () => random.uint32());
  const once = (value: number): number => {
    let left = Math.floor(value / half);
    let right = value % half;
    for (const key of keys) [left, right] = [right, (left ^ (mixed(right ^ key) & (half - 1))) >>> 0];
    return left * half + right;
  };
  return (place) => {
    let value = once(place);
    // A walk through the domain of at most 4 * length comes back into the range, in 4 steps on average at most.
    while (value >= length) value = once(value);
    return value;
  };
}

/** All 32 bits depend on all of `x`: shifts and odd multipliers, each of which can be undone. */
function mixed(x: number): number {
  let y = x >>> 0;
  y = Math.imul(y ^ (y >>> 15), 0x2c1b3c6d);
  y = Math.imul(y ^ (y >>> 12), 0x297a2d39);
  return (y ^ (y >>> 15)) >>> 0;
}
