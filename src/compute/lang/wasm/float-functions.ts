/**
 * The functions of floats that WebAssembly lacks, four lanes at a time: within two units of the last place of what they
 * are, over all of float32, infinities, subnormals and NaN included; erf as in `scalar-functions.ts`.
 *
 * Polynomials are those of the Cephes library's single precision (Moshier, 1992) unless they say otherwise.
 */
import { ERFC_FIT, ERF_SERIES } from "../scalar-functions.ts";
import type { Push, VectorMath } from "./vector-math.ts";

/** log(2) as a sum: nine bits, and the rest. */
const LOG_2 = [0.693359375, -2.1219444005469057e-4] as const;
/** exp(r) - 1 - r over r^2, on |r| <= log(2) / 2. */
const EXP = [0.5, 1.6666665459e-1, 4.1665795894e-2, 8.3334519073e-3, 1.398199950744e-3, 1.98756915e-4];
/** Beyond these exp is 0 and infinity. */
const EXP_RANGE = [-104, 89] as const;

/** 2^n, for an integer n of which half is a float's exponent: x * 2^n in two steps, so that neither overflows early. */
function scaled(m: VectorMath, x: Push, n: Push): Push {
  const half = m.keep(m.shifted("i32x4.shr_s", n, 1));
  const power = (exponent: Push): Push => m.shifted("i32x4.shl", m.op("i32x4.add", exponent, m.bits(127)), 23);
  return m.multiply(m.multiply(x, power(half)), power(m.op("i32x4.sub", n, half)));
}

/** exp(x) = 2^n * exp(r), with n the whole number next to x / log(2). */
export function exp(m: VectorMath, x: Push): Push {
  const inside = m.keep(m.op("f32x4.pmin", m.op("f32x4.pmax", x, m.number(EXP_RANGE[0])), m.number(EXP_RANGE[1])));
  const n = m.keep(m.op("f32x4.nearest", m.multiply(inside, m.number(Math.LOG2E))));
  const high = m.subtract(inside, m.multiply(n, m.number(LOG_2[0])));
  const r = m.keep(m.subtract(high, m.multiply(n, m.number(LOG_2[1]))));
  const rest = m.multiply(m.multiply(r, r), m.polynomial(r, EXP));
  const whole = m.keep(m.op("i32x4.trunc_sat_f32x4_s", n));
  return scaled(m, m.keep(m.add(m.add(rest, r), m.number(1))), whole);
}

/** (log(1 + r) - r + r^2 / 2) / r^3, on sqrt(1/2) <= 1 + r < sqrt(2). */
const LOG = [
  3.3333331174e-1, -2.4999993993e-1, 2.0000714765e-1, -1.6668057665e-1, 1.4249322787e-1, -1.2420140846e-1,
  1.1676998740e-1, -1.1514610310e-1, 7.0376836292e-2,
]; // prettier-ignore
const NORMAL_MIN = 2 ** -126;

/** log(x) = n log(2) + log(1 + r), where x = 2^n (1 + r). */
export function log(m: VectorMath, x: Push): Push {
  const isSmall = m.keep(m.op("f32x4.lt", x, m.number(NORMAL_MIN)));
  const normal = m.keep(m.choose(isSmall, m.multiply(x, m.number(2 ** 23)), x));
  // The exponent of the number times sqrt(2), so that 1 + r lies around 1.
  const shifted = m.keep(m.op("i32x4.sub", normal, m.bits(0x3f3504f3)));
  const exponent = m.shifted("i32x4.shr_s", shifted, 23);
  const bias = m.op("v128.and", isSmall, m.bits(23));
  const n = m.keep(m.op("f32x4.convert_i32x4_s", m.op("i32x4.sub", exponent, bias)));
  const fraction = m.op("i32x4.add", m.op("v128.and", shifted, m.bits(0x7fffff)), m.bits(0x3f3504f3));
  const r = m.keep(m.subtract(fraction, m.number(1)));
  const square = m.keep(m.multiply(r, r));
  const cubic = m.multiply(m.multiply(r, square), m.polynomial(r, LOG));
  const low = m.subtract(m.add(cubic, m.multiply(n, m.number(LOG_2[1]))), m.multiply(square, m.number(0.5)));
  const number = m.keep(m.add(m.add(low, r), m.multiply(n, m.number(LOG_2[0]))));
  const isPositive = m.op("v128.and", m.op("f32x4.gt", x, m.number(0)), m.op("f32x4.lt", x, m.number(Infinity)));
  // Zeros give -1 / 0; infinity and NaN themselves; what is negative NaN.
  const negative = m.choose(m.op("f32x4.lt", x, m.number(0)), m.number(Number.NaN), x);
  const other = m.choose(m.op("f32x4.eq", x, m.number(0)), m.number(-Infinity), negative);
  return m.choose(isPositive, number, other);
}

/** pi / 2 as a sum of two doubles: 33 bits, so that products with whole numbers are exact, and the rest. */
const HALF_PI = [1.5707963267341256, 6.077100506506192e-11] as const;
const SINE = [-1.6666654611e-1, 8.3321608736e-3, -1.9515295891e-4];
const COSINE = [4.166664568298827e-2, -1.388731625493765e-3, 2.443315711809948e-5];

/** sin(x), or with `quarter` 1 cos(x): x less its multiple of pi / 2, taken in doubles. */
function sineFrom(m: VectorMath, x: Push, quarter: 0 | 1): Push {
  const reduce = (pair: Push): { rest: Push; n: Push } => {
    const wide = m.keep(m.op("f64x2.promote_low_f32x4", pair));
    const n = m.keep(m.op("f64x2.nearest", m.op("f64x2.mul", wide, m.double(2 / Math.PI))));
    const high = m.op("f64x2.sub", wide, m.op("f64x2.mul", n, m.double(HALF_PI[0])));
    const rest = m.op("f64x2.sub", high, m.op("f64x2.mul", n, m.double(HALF_PI[1])));
    const modulo = m.op("f64x2.sub", n, m.op("f64x2.mul", m.op("f64x2.nearest", m.op("f64x2.mul", n, m.double(2 ** -20))), m.double(2 ** 20))); // prettier-ignore
    return { rest: m.op("f32x4.demote_f64x2_zero", rest), n: m.op("i32x4.trunc_sat_f64x2_s_zero", modulo) };
  };
  const [low, high] = [reduce(x), reduce(m.upper(x))];
  const r = m.keep(m.joined(low.rest, high.rest));
  const n = m.keep(m.op("i32x4.add", m.joined(low.n, high.n), m.bits(quarter)));
  const square = m.keep(m.multiply(r, r));
  const sine = m.add(r, m.multiply(m.multiply(r, square), m.polynomial(square, SINE)));
  const half = m.subtract(m.number(1), m.multiply(square, m.number(0.5)));
  const cosine = m.add(half, m.multiply(m.multiply(square, square), m.polynomial(square, COSINE)));
  const isOdd = m.op("i32x4.ne", m.op("v128.and", n, m.bits(1)), m.bits(0));
  const sign = m.shifted("i32x4.shl", m.op("v128.and", n, m.bits(2)), 30);
  return m.op("v128.xor", m.choose(isOdd, cosine, sine), sign);
}

export function sin(m: VectorMath, x: Push): Push {
  return sineFrom(m, x, 0);
}

export function cos(m: VectorMath, x: Push): Push {
  return sineFrom(m, x, 1);
}

const TANH = [-3.33332819422e-1, 1.33314422036e-1, -5.37397155531e-2, 2.06390887954e-2, -5.70498872745e-3];

/** Near 0 by powers of x; else 1 - 2 / (exp(2 |x|) + 1), with the sign of x. */
export function tanh(m: VectorMath, x: Push, expOf: (x: Push) => Push): Push {
  const size = m.keep(m.op("f32x4.abs", x));
  const square = m.keep(m.multiply(x, x));
  const near = m.keep(m.add(x, m.multiply(m.multiply(x, square), m.polynomial(square, TANH))));
  const power = expOf(m.add(size, size));
  const far = m.subtract(m.number(1), m.divide(m.number(2), m.add(power, m.number(1))));
  return m.choose(m.op("f32x4.lt", size, m.number(0.625)), near, m.withSignOf(far, x));
}

/** See `erf` in scalar-functions.ts. */
export function erf(m: VectorMath, x: Push, expOf: (x: Push) => Push): Push {
  const size = m.keep(m.op("f32x4.abs", x));
  const square = m.keep(m.multiply(x, x));
  const near = m.keep(m.multiply(x, m.polynomial(square, ERF_SERIES)));
  const t = m.divide(m.number(1), m.add(m.number(1), m.multiply(m.number(0.5), size)));
  const shifted = m.keep(m.subtract(t, m.number(0.5)));
  const tail = m.multiply(expOf(m.op("f32x4.neg", square)), m.polynomial(shifted, ERFC_FIT));
  const far = m.choose(m.op("f32x4.ge", size, m.number(4)), m.number(1), m.subtract(m.number(1), tail));
  const signed = m.withSignOf(far, x);
  const known = m.choose(m.op("f32x4.lt", size, m.number(1)), near, signed);
  return m.choose(m.op("f32x4.eq", x, x), known, x);
}
