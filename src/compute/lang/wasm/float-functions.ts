/**
 * The functions of floats that WebAssembly lacks, four lanes at a time: within two units of the last place of what they
 * are, three for erf (as in `scalar-functions.ts`) and seven for tanh; angles up to 10^5 are measured. Infinities and NaN are kept.
 *
 * Polynomials are those of the Cephes library's single precision (Moshier, 1992) unless they say otherwise.
 */
import type { UnaryOp } from "../kernel.ts";
import { ERFC_FIT, ERF_SERIES } from "../scalar-functions.ts";
import type { Push, VectorMath } from "./vector-math.ts";

/** log(2) as a sum: nine bits, and the rest. */
const LOG_2 = [0.693359375, -2.1219444005469057e-4] as const;
/** exp(r) - 1 - r over r^2, on |r| <= log(2) / 2. */
const EXP = [0.5, 1.6666665459e-1, 4.1665795894e-2, 8.3334519073e-3, 1.398199950744e-3, 1.98756915e-4];
/** The normal floats are exp of what lies between. */
const EXP_RANGE = [-87.33654, 88.72283] as const;
/** Added to a float, it leaves a whole number in the lower bits. */
const WHOLE = 1.5 * 2 ** 23;
const EXPONENT_SHIFT = 23;

/** The functions by the operator's name: of an argument that is pushed more than once. */
export const FLOAT_FUNCTIONS: { readonly [Op in UnaryOp]?: (m: VectorMath, x: Push) => Push } = {
  exp,
  log,
  sin,
  cos,
  tanh,
  erf,
};

/** exp(x) = 2^n * exp(r), with n the whole number next to x / log(2); 0 for results that are no normal floats. */
function exp(m: VectorMath, x: Push): Push {
  const [least, most] = [m.number(EXP_RANGE[0]), m.number(EXP_RANGE[1])];
  const inside = m.keep(m.op("f32x4.pmin", m.op("f32x4.pmax", x, least), most));
  const shifted = m.keep(m.multiplyAdd(inside, m.number(Math.LOG2E), m.number(WHOLE)));
  const n = m.keep(m.subtract(shifted, m.number(WHOLE)));
  const high = m.subtractProduct(inside, n, m.number(LOG_2[0]));
  const r = m.keep(m.subtractProduct(high, n, m.number(LOG_2[1])));
  const power = m.add(m.multiplyAdd(m.multiply(r, r), m.polynomial(r, EXP), r), m.number(1));
  const scaled = m.op("i32x4.add", power, m.shifted("i32x4.shl", shifted, EXPONENT_SHIFT));
  const normal = m.op("v128.andnot", scaled, m.op("f32x4.lt", x, least));
  // Infinity is added above, and what NaN's exponent has become is NaN again.
  const beyond = m.op("v128.and", m.op("f32x4.gt", x, most), m.number(Infinity));
  return m.add(normal, m.multiplyAdd(inside, m.number(0), beyond));
}

/** (log(1 + r) - r + r^2 / 2) / r^3, on sqrt(1/2) <= 1 + r < sqrt(2). */
const LOG = [
  3.3333331174e-1, -2.4999993993e-1, 2.0000714765e-1, -1.6668057665e-1, 1.4249322787e-1, -1.2420140846e-1,
  1.1676998740e-1, -1.1514610310e-1, 7.0376836292e-2,
]; // prettier-ignore
const NORMAL_MIN = 2 ** -126;

/** log(x) = n log(2) + log(1 + r), where x = 2^n (1 + r). */
function log(m: VectorMath, x: Push): Push {
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
  const low = m.subtractProduct(m.multiplyAdd(n, m.number(LOG_2[1]), cubic), square, m.number(0.5));
  const number = m.keep(m.multiplyAdd(n, m.number(LOG_2[0]), m.add(low, r)));
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

function sin(m: VectorMath, x: Push): Push {
  return sineFrom(m, x, 0);
}

function cos(m: VectorMath, x: Push): Push {
  return sineFrom(m, x, 1);
}

/**
 * tanh(x) / x over x^2, as a fraction of two polynomials: on |x| <= 9.02, beyond which tanh is 1 in float32, to 2.1e-8 in
 * exact arithmetic. A minimax fit by least squares with weights, made for this file.
 */
const TANH_OVER = [1, 0.13379718, 0.0034940357, 2.0583499e-5, 1.3319095e-8];
const TANH_UNDER = [1, 0.46713033, 0.025871078, 0.00032830946, 7.762029e-7];
const TANH_MOST = 9.02;

function tanh(m: VectorMath, x: Push): Push {
  const within = (value: Push, most: number): Push =>
    m.op("f32x4.pmin", m.op("f32x4.pmax", value, m.number(-most)), m.number(most));
  const inside = m.keep(within(x, TANH_MOST));
  const square = m.keep(m.multiply(inside, inside));
  const over = m.multiply(inside, m.polynomial(square, TANH_OVER));
  return within(m.divide(over, m.polynomial(square, TANH_UNDER)), 1);
}

/** See `erf` in scalar-functions.ts. */
function erf(m: VectorMath, x: Push): Push {
  const size = m.keep(m.op("f32x4.abs", x));
  const square = m.keep(m.multiply(x, x));
  const near = m.keep(m.multiply(x, m.polynomial(square, ERF_SERIES)));
  const t = m.divide(m.number(1), m.add(m.number(1), m.multiply(m.number(0.5), size)));
  const shifted = m.keep(m.subtract(t, m.number(0.5)));
  const tail = m.multiply(exp(m, m.keep(m.op("f32x4.neg", square))), m.polynomial(shifted, ERFC_FIT));
  const far = m.choose(m.op("f32x4.ge", size, m.number(4)), m.number(1), m.subtract(m.number(1), tail));
  const signed = m.withSignOf(far, x);
  const known = m.choose(m.op("f32x4.lt", size, m.number(1)), near, signed);
  return m.choose(m.op("f32x4.eq", x, x), known, x);
}
