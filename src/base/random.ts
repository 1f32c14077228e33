/**
 * Random numbers that are a function of their seed and their place alone: Philox4x32-10.
 *
 * Source: Salmon et al., "Parallel Random Numbers: As Easy as 1, 2, 3" (SC11), section 3.
 * The same bits on every device, so that seeds reproduce across tabs and across runs.
 */
import { hashText } from "./hash.ts";

const MULTIPLIER_0 = 0xd2511f53;
const MULTIPLIER_1 = 0xcd9e8d57;
const WEYL_0 = 0x9e3779b9;
const WEYL_1 = 0xbb67ae85;
const ROUNDS = 10;

function mulHigh(a: number, b: number): number {
  const aLow = a & 0xffff;
  const aHigh = a >>> 16;
  const bLow = b & 0xffff;
  const bHigh = b >>> 16;
  const low = aLow * bLow;
  const mid = aHigh * bLow + (low >>> 16);
  const mid2 = aLow * bHigh + (mid & 0xffff);
  return (aHigh * bHigh + Math.floor(mid / 0x10000) + (mid2 >>> 16)) >>> 0;
}

/** Four 32-bit words for a 128-bit counter under a 64-bit key. */
export function philox(
  counter: readonly [number, number, number, number],
  key: readonly [number, number],
): [number, number, number, number] {
  let [c0, c1, c2, c3] = counter;
  let [k0, k1] = key;
  for (let round = 0; round < ROUNDS; round++) {
    const high0 = mulHigh(MULTIPLIER_0, c0);
    const low0 = Math.imul(MULTIPLIER_0, c0) >>> 0;
    const high1 = mulHigh(MULTIPLIER_1, c2);
    const low1 = Math.imul(MULTIPLIER_1, c2) >>> 0;
    [c0, c1, c2, c3] = [(high1 ^ c1 ^ k0) >>> 0, low1, (high0 ^ c3 ^ k1) >>> 0, low0];
    k0 = (k0 + WEYL_0) >>> 0;
    k1 = (k1 + WEYL_1) >>> 0;
  }
  return [c0, c1, c2, c3];
}

/** A stream of numbers named by a seed and any labels: `new Random(7, "slot", step, slot)`. */
export class Random {
  readonly #key: [number, number];
  readonly #stream: [number, number];
  #block = 0;
  #words: number[] = [];

  constructor(seed: number | string, ...labels: (number | string)[]) {
    const hash = hashText(`${seed}/${labels.join("/")}`);
    const word = (index: number): number => Number.parseInt(hash.slice(index * 8, index * 8 + 8), 16);
    this.#key = [word(0), word(1)];
    this.#stream = [word(2), word(3)];
  }

  /** An integer in [0, 2^32). */
  uint32(): number {
    if (this.#words.length === 0) {
      this.#words = philox([this.#block >>> 0, 0, ...this.#stream], this.#key);
      this.#block += 1;
    }
    return this.#words.pop() ?? 0;
  }

  /** A number in [0, 1), with 24 bits: exactly representable in float32. */
  uniform(): number {
    return (this.uint32() >>> 8) / 0x1000000;
  }

  /** An integer in [0, bound), without bias worth naming for bounds under 2^24. */
  below(bound: number): number {
    return Math.floor((this.uint32() / 0x100000000) * bound);
  }

  /** A standard normal number, by Box and Muller. */
  normal(): number {
    const radius = Math.sqrt(-2 * Math.log(1 - this.uniform()));
    return radius * Math.cos(2 * Math.PI * this.uniform());
  }

  /** One of `items`. */
  pick<T>(items: readonly T[]): T {
    return items[this.below(items.length)] as T;
  }

  /** `items` in a random order, in a new array (Fisher and Yates). */
  shuffle<T>(items: readonly T[]): T[] {
    const out = [...items];
    for (let i = out.length - 1; i > 0; i--) {
      const j = this.below(i + 1);
      [out[i], out[j]] = [out[j] as T, out[i] as T];
    }
    return out;
  }
}

/** Where unguessable bytes come from: injected, since the platform has it and tests must not. */
export type RandomSource = (count: number) => Uint8Array;
