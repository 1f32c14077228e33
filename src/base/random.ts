/**
 * Random numbers that are a function of their seed and their place alone: Philox4x32-10.
 *
 * Source: Salmon et al., "Parallel Random Numbers: As Easy as 1, 2, 3" (SC11), section 3.
 * The same bits on every device, so that seeds reproduce across tabs and across runs.
 */
import { exponentialParts, normalParts } from "./fixed-point.ts";
import type { FloatParts, Words } from "./fixed-point.ts";
import { hashText } from "./hash.ts";

const MULTIPLIER_0 = 0xd2511f53;
const MULTIPLIER_1 = 0xcd9e8d57;
const WEYL_0 = 0x9e3779b9;
const WEYL_1 = 0xbb67ae85;
const ROUNDS = 10;

/** The upper word of the 64-bit product. */
function mulHigh(a: number, b: number): number {
  const aLow = a & 0xffff;
  const aHigh = a >>> 16;
  const bLow = b & 0xffff;
  const bHigh = b >>> 16;
  const mid = (Math.imul(aHigh, bLow) + (Math.imul(aLow, bLow) >>> 16)) >>> 0;
  const mid2 = (Math.imul(aLow, bHigh) + (mid & 0xffff)) >>> 0;
  return (Math.imul(aHigh, bHigh) + (mid >>> 16) + (mid2 >>> 16)) >>> 0;
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

/** As int32 of the same bits, which engines keep out of the heap. */
const hostWords: Words<number> = {
  word: (value) => value | 0,
  add: (a, b) => (a + b) | 0,
  subtract: (a, b) => (a - b) | 0,
  or: (a, b) => a | b,
  multiplyHigh: (a, b) => mulHigh(a, b) | 0,
  shiftLeft: (x, amount) => x << amount,
  shiftRight: (x, amount) => (x >>> amount) | 0,
  ifLess: (a, b, yes, no) => (a >>> 0 < b >>> 0 ? yes : no),
};

const powerBits = new Int32Array(1);
const power = new Float32Array(powerBits.buffer);

function floatOf({ mantissa, exponent, sign }: FloatParts<number>): number {
  powerBits[0] = sign | (exponent << 23);
  return mantissa * (power[0] ?? 0);
}

/** The standard normal float32 that every device makes of these two words. */
export function normalOf(first: number, second: number): number {
  return floatOf(normalParts(hostWords, first, second));
}

/** The standard exponential float32 that every device makes of this word. */
export function exponentialOf(first: number): number {
  return floatOf(exponentialParts(hostWords, first));
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

  /** A standard normal number, in float32. */
  normal(): number {
    return normalOf(this.uint32(), this.uint32());
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
