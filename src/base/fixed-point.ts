/**
 * Normal and exponential numbers from random words by exact integer arithmetic, so that every device and every browser
 * engine gets the same bits: no float is rounded on the way, and no library's logarithm or cosine is asked.
 *
 * Written once over `Words`, for numbers on the host and for the expressions of kernels alike.
 */

/** Arithmetic on 32-bit words, modulo 2^32. */
export interface Words<T> {
  word(value: number): T;
  add(a: T, b: T): T;
  subtract(a: T, b: T): T;
  or(a: T, b: T): T;
  /** The upper word of the 64-bit product. */
  multiplyHigh(a: T, b: T): T;
  /** `amount` from 0 to 31. */
  shiftLeft(x: T, amount: T): T;
  shiftRight(x: T, amount: T): T;
  /** a < b ? yes : no */
  ifLess(a: T, b: T, yes: T, no: T): T;
}

/** (-1)^sign * mantissa * 2^(exponent - 127): mantissa below 2^24, exponent as in a float32, sign in the top bit. */
export interface FloatParts<T> {
  readonly mantissa: T;
  readonly exponent: T;
  readonly sign: T;
}

/** -log2(1 - t / 2) / (t / 2) in powers of t, to 7e-10 on 0 < t < 1, times 2^31: magnitudes, the signs of their sums as in LOG_SAME_SIGN. */
const LOG = [
  3098164003, 774540650, 258194274, 96604138, 40387012, 8701709, 27319102, 32031094, 38449641, 21889265, 6527115,
];
/** By power: whether the coefficient and the sum of all higher powers have one sign. */
const LOG_SAME_SIGN = [true, true, true, true, true, true, false, false, false, false];
/** 1 / sqrt(y) in powers of -y, to 3e-3 on 0.18 < y < 1, times 2^26. */
const ROOT = [277005743, 1010121792, 2458707856, 3330895872, 2317725332, 645404039];
/** sin(a pi / 2) / a in powers of -a^2, to 3e-11 on 0 < a < 1, times 2^31. */
const SINE = [3373259426, 1387197332, 171138563, 10053783, 344144, 7370];
/** sqrt(2 ln 2) times 2^31. */
const ROOT_TWO_LN_2 = 2528468770;
/** ln 2 times 2^32. */
const LN_2 = 2977044472;
/** Shifts that bring the leading bit to the top: each where it leaves the word below 2^32. By two: one of the top two. */
const SHIFTS = [16, 8, 4, 2, 1] as const;
const SHIFTS_BY_TWO = [16, 8, 4, 2] as const;
/** Shifts that leave 24 of 31 bits: each where it leaves 23 or more. */
const CUTS = [4, 2, 1] as const;
/** The limit of each. */
const BELOW: Readonly<Record<number, number>> = { 1: 2 ** 31, 2: 2 ** 30, 4: 2 ** 28, 8: 2 ** 24, 16: 2 ** 16 };
const FROM: Readonly<Record<number, number>> = { 1: 2 ** 24, 2: 2 ** 25, 4: 2 ** 27 };
/** The exponent of 1 in a float32. */
const BIAS = 127;

/**
 * A standard normal number of two words, by Box and Muller: sqrt(-2 ln u) * sin(a pi / 2) with a sign of its own, where
 * u and a are the midpoints of 2^31 cells of (0, 1). Within 2^-22 of that formula, relative, and 2^-25 near 0; at most 6.67.
 */
export function normalParts<T>(on: Words<T>, first: T, second: T): FloatParts<T> {
  const { word, multiplyHigh, shiftLeft, shiftRight } = on;
  const { mantissa, power } = minusLog2(on, first);
  const angle = on.or(shiftLeft(second, word(1)), word(1)); // times 2^32
  const sine = sineOfQuarter(on, angle); // times 2^31
  const root = shiftLeft(squareRoot(on, mantissa), word(1)); // times 2^31
  const size = multiplyHigh(multiplyHigh(root, sine), word(ROOT_TWO_LN_2)); // times 2^29, without the power
  // Times 2^28: below 6.67 * 2^28. The last bit is half of what was cut off, so nothing is 0 and signs are even.
  const whole = on.or(shiftRight(shiftLeft(size, word(2)), on.subtract(word(3), power)), word(1));
  const sign = shiftLeft(shiftRight(second, word(31)), word(31));
  return rounded(on, whole, word(BIAS - 28), sign);
}

/** -ln u for the same u: a standard exponential number, 2^-32 to 22.2, to 24 bits. */
export function exponentialParts<T>(on: Words<T>, first: T): FloatParts<T> {
  const { word, add } = on;
  const { mantissa, power } = minusLog2(on, first);
  const whole = on.shiftRight(on.multiplyHigh(mantissa, word(LN_2)), word(1)); // times 2^31, without the power
  return rounded(on, whole, add(add(power, power), word(BIAS - 31)), word(0));
}

/**
 * -log2 u for u = (first | 1) / 2^32, as mantissa * 2^-32 * 4^power, with a mantissa from 0.18 * 2^32 on.
 *
 * With n leading zeros, u = (1 - v) / 2^n with v in (0, 1/2], and -log2 u = n - log2(1 - v). Where n is 0, v is scaled up
 * by a power of 4 first, so that u near 1 loses nothing.
 */
function minusLog2<T>(on: Words<T>, first: T): { mantissa: T; power: T } {
  const { word, add, subtract, shiftLeft, shiftRight, ifLess, multiplyHigh } = on;
  const bits = on.or(first, word(1));
  const { scaled, shift: zeros } = normalized(on, bits, SHIFTS);
  const v = subtract(word(0), scaled); // times 2^32
  const twice = subtract(add(v, v), word(1)); // t = 2v, but for the last bit
  const ratio = polynomial(on, twice, LOG, LOG_SAME_SIGN); // times 2^31
  const near = normalized(on, shiftLeft(v, word(1)), SHIFTS_BY_TWO);
  const log = multiplyHigh(ifLess(zeros, word(1), near.scaled, v), ratio); // near: times 2^32 * 4^..; else times 2^31
  const places = ifLess(zeros, word(4), word(30), ifLess(zeros, word(16), word(28), word(26)));
  const far = add(shiftLeft(zeros, places), shiftRight(log, subtract(word(31), places)));
  return {
    mantissa: ifLess(zeros, word(1), log, far),
    power: ifLess(
      zeros,
      word(1),
      subtract(word(0), shiftRight(near.shift, word(1))),
      shiftRight(subtract(word(32), places), word(1)),
    ),
  };
}

/** `x` shifted left by as many of `steps` as leave it below 2^32. */
function normalized<T>(on: Words<T>, x: T, steps: readonly number[]): { scaled: T; shift: T } {
  let scaled = x;
  let shift = on.word(0);
  for (const step of steps) {
    const limit = on.word(BELOW[step] ?? 0);
    shift = on.ifLess(scaled, limit, on.add(shift, on.word(step)), shift);
    scaled = on.ifLess(scaled, limit, on.shiftLeft(scaled, on.word(step)), scaled);
  }
  return { scaled, shift };
}

/** Horner's rule at x * 2^-32 with magnitudes whose signs are known; alternating ones without `sameSign`. */
function polynomial<T>(on: Words<T>, x: T, coefficients: readonly number[], sameSign: readonly boolean[] = []): T {
  const last = coefficients.length - 1;
  let sum = on.word(coefficients[last] ?? 0);
  for (let power = last - 1; power >= 0; power--) {
    const product = on.multiplyHigh(sum, x);
    const coefficient = on.word(coefficients[power] ?? 0);
    sum = sameSign[power] === true ? on.add(coefficient, product) : on.subtract(coefficient, product);
  }
  return sum;
}

/** sqrt(x * 2^-32) * 2^30 for x from 0.18 * 2^32: a polynomial and two steps of Newton's for 1 / sqrt, times x. */
function squareRoot<T>(on: Words<T>, x: T): T {
  const { word, multiplyHigh, shiftLeft } = on;
  let inverse = shiftLeft(polynomial(on, x, ROOT), word(4)); // times 2^30
  for (let step = 0; step < 2; step++) {
    const square = multiplyHigh(multiplyHigh(inverse, inverse), x); // times 2^28
    const factor = shiftLeft(on.subtract(word(3 * 2 ** 28), square), word(2));
    inverse = shiftLeft(multiplyHigh(inverse, factor), word(1));
  }
  return multiplyHigh(inverse, x);
}

/** sin(a pi / 2) * 2^31 for a = angle * 2^-32. */
function sineOfQuarter<T>(on: Words<T>, angle: T): T {
  const ratio = polynomial(on, on.multiplyHigh(angle, angle), SINE); // times 2^31
  return on.multiplyHigh(angle, ratio);
}

/** x * 2^(exponent - 127) with x below 2^31, rounded to 24 bits. */
function rounded<T>(on: Words<T>, x: T, exponent: T, sign: T): FloatParts<T> {
  const { word, add, shiftRight, shiftLeft, ifLess } = on;
  let top = x;
  let shift = word(0);
  for (const step of CUTS) {
    const limit = word(FROM[step] ?? 0);
    shift = ifLess(top, limit, shift, add(shift, word(step)));
    top = ifLess(top, limit, top, shiftRight(top, word(step)));
  }
  const half = shiftRight(shiftLeft(word(1), shift), word(1));
  return { mantissa: shiftRight(add(x, half), shift), exponent: add(exponent, shift), sign };
}
