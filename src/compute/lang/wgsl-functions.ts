/**
 * WGSL functions that a printed kernel may call, for what WGSL has not, or does not promise well enough.
 *
 * WGSL promises sin and cos to 2^-11 only, tanh by way of exponentials that overflow, and nothing for pow of a
 * negative base; so these are written out. Polynomials are Taylor's, on intervals where they reach f32's precision.
 */
import { ERFC_FIT, ERF_SERIES } from "./scalar-functions.ts";

const F32_MAX = 3.4028234663852886e38;

/** The text of an f32 literal that reads back as the same f32. */
export function wgslFloat(value: number): string {
  // `zero` is a variable, so that no compiler evaluates what it would refuse to evaluate.
  if (Number.isNaN(value)) return "bitcast<f32>(0x7fc00000u ^ zero)";
  if (value === Infinity) return "bitcast<f32>(0x7f800000u ^ zero)";
  if (value === -Infinity) return "bitcast<f32>(0xff800000u ^ zero)";
  // Every decimal that reads back as the largest f32 lies a little beyond it, which WGSL refuses.
  if (Math.abs(value) === F32_MAX) return value < 0 ? "(-0x1.fffffep+127f)" : "0x1.fffffep+127f";
  const text = shortest(value);
  const literal = /[.e]/.test(text) ? `${text}f` : `${text}.0f`;
  return value < 0 || Object.is(value, -0) ? `(${literal})` : literal;
}

function shortest(value: number): string {
  if (Object.is(value, -0)) return "-0";
  if (Number.isInteger(value) && Math.abs(value) < 2 ** 24) return String(value);
  for (let digits = 6; digits < 9; digits++) {
    const text = value.toPrecision(digits);
    if (Math.fround(Number(text)) === value) return trimmed(text);
  }
  return trimmed(value.toPrecision(9));
}

/** Without zeros at the end of the fraction. */
function trimmed(text: string): string {
  const [digits = "", exponent] = text.split("e");
  const short = digits.includes(".") ? digits.replace(/\.?0+$/, "") : digits;
  return exponent === undefined ? short : `${short}e${Number(exponent)}`;
}

function horner(variable: string, coefficients: readonly number[]): string {
  return coefficients
    .slice(0, -1)
    .reduceRight(
      (sum, coefficient) => `${wgslFloat(Math.fround(coefficient))} + ${variable} * (${sum})`,
      lastOf(coefficients),
    );
}

function lastOf(coefficients: readonly number[]): string {
  return wgslFloat(Math.fround(coefficients.at(-1) ?? 0));
}

/** pi / 2 as a sum: 11 bits, 11 bits, and the rest. */
const HALF_PI = [1.5703125, 0.0004837512969970703, 7.549789954891882e-8] as const;
/** sin(x) / x and cos(x) in powers of x^2, to 2e-9 and 1e-10 on |x| <= pi / 4. */
const SINE = [1, -1 / 6, 1 / 120, -1 / 5040, 1 / 362880];
const COSINE = [1, -1 / 2, 1 / 24, -1 / 720, 1 / 40320, -1 / 3628800];

/** 2 atanh(r) / r in powers of r^2, to 1e-8 on |r| <= 0.21. */
const TWO_ATANH = [2, 2 / 3, 2 / 5, 2 / 7, 2 / 9];

/** By name, in an order where each uses only earlier ones; only what a kernel calls is printed. */
const WGSL_FUNCTIONS: Readonly<Record<string, string>> = {
  multiply_high: `fn multiply_high(a: u32, b: u32) -> u32 {
  let low = (a & 0xffffu) * (b & 0xffffu);
  let mid = (a >> 16u) * (b & 0xffffu) + (low >> 16u);
  let mid2 = (a & 0xffffu) * (b >> 16u) + (mid & 0xffffu);
  return (a >> 16u) * (b >> 16u) + (mid >> 16u) + (mid2 >> 16u);
}`,
  // Long division of the significands in whole numbers, 8 bits a step: exact, where x - y * trunc(x / y) is not.
  remainder_f32: `fn remainder_f32(x: f32, y: f32) -> f32 {
  let a = bitcast<u32>(x) & 0x7fffffffu;
  let b = bitcast<u32>(y) & 0x7fffffffu;
  if (a >= 0x7f800000u || b > 0x7f800000u || b < 0x00800000u) { return bitcast<f32>(0x7fc00000u ^ zero); }
  if (a < b) { return x; }
  let divisor = (b & 0x7fffffu) | 0x800000u;
  var rest = ((a & 0x7fffffu) | 0x800000u) % divisor;
  for (var shift = (a >> 23u) - (b >> 23u); shift > 0u; shift -= min(shift, 8u)) {
    rest = (rest << min(shift, 8u)) % divisor;
  }
  let size = f32(rest) * 1.1920929e-7f * bitcast<f32>(b & 0x7f800000u);
  return select(size, -size, x < 0.0f);
}`,
  power_f32: `fn power_f32(x: f32, y: f32) -> f32 {
  if (y == 0.0f || x == 1.0f) { return 1.0f; }
  if (x == 0.0f) { return select(bitcast<f32>(0x7f800000u ^ zero), 0.0f, y > 0.0f); }
  let size = pow(abs(x), y);
  if (x > 0.0f) { return size; }
  if (y != trunc(y)) { return bitcast<f32>(0x7fc00000u ^ zero); }
  let half = 0.5f * y;
  return select(size, -size, half != trunc(half));
}`,
  power_u32: `fn power_u32(a: u32, b: u32) -> u32 {
  var out = 1u;
  var square = a;
  for (var rest = b; rest != 0u; rest = rest >> 1u) {
    if ((rest & 1u) != 0u) { out = out * square; }
    square = square * square;
  }
  return out;
}`,
  power_i32: `fn power_i32(a: i32, b: i32) -> i32 {
  if (b >= 0i) { return bitcast<i32>(power_u32(bitcast<u32>(a), bitcast<u32>(b))); }
  if (a == 1i) { return 1i; }
  if (a == -1i) { return select(1i, -1i, (b & 1i) != 0i); }
  return 0i;
}`,
  // x less a multiple n of pi / 2, subtracted in three parts so that the first two are exact up to n = 2^13; n modulo 4.
  reduce_angle: `fn reduce_angle(x: f32) -> vec2<f32> {
  let n = round(x * ${wgslFloat(Math.fround(2 / Math.PI))});
  let rest = fma(-n, ${wgslFloat(HALF_PI[2])}, fma(-n, ${wgslFloat(HALF_PI[1])}, fma(-n, ${wgslFloat(HALF_PI[0])}, x)));
  return vec2<f32>(rest, n - 4.0f * floor(n * 0.25f));
}`,
  sin_quadrant: `fn sin_quadrant(rest: f32, quadrant: f32) -> f32 {
  let square = rest * rest;
  let sine = rest * (${horner("square", SINE)});
  let cosine = ${horner("square", COSINE)};
  let size = select(sine, cosine, quadrant == 1.0f || quadrant == 3.0f);
  return select(size, -size, quadrant >= 2.0f);
}`,
  sin_f32: `fn sin_f32(x: f32) -> f32 {
  let angle = reduce_angle(x);
  return sin_quadrant(angle.x, angle.y);
}`,
  cos_f32: `fn cos_f32(x: f32) -> f32 {
  let angle = reduce_angle(x);
  return sin_quadrant(angle.x, select(angle.y + 1.0f, 0.0f, angle.y == 3.0f));
}`,
  // WGSL promises log to 2^-21 near 1, where it is 0: there by 2 atanh(r), r = (x - 1) / (x + 1).
  log_f32: `fn log_f32(x: f32) -> f32 {
  let above = x - 1.0f;
  if (abs(above) >= 0.34f) { return log(x); }
  let r = above / (above + 2.0f);
  let square = r * r;
  return r * (${horner("square", TWO_ATANH)});
}`,
  // Lambert's continued fraction near 0, where the other formula cancels.
  tanh_f32: `fn tanh_f32(x: f32) -> f32 {
  let size = abs(x);
  let square = x * x;
  if (size < 0.625f) {
    return x * (945.0f + square * (105.0f + square)) / (945.0f + square * (420.0f + square * 15.0f));
  }
  return sign(x) * (1.0f - 2.0f / (exp(2.0f * min(size, 15.0f)) + 1.0f));
}`,
  // See `erf` in scalar-functions.ts.
  erf_f32: `fn erf_f32(x: f32) -> f32 {
  let size = abs(x);
  let square = x * x;
  if (size < 1.0f) { return x * (${horner("square", ERF_SERIES)}); }
  if (size >= 4.0f) { return sign(x); }
  let t = 1.0f / (1.0f + 0.5f * size) - 0.5f;
  return sign(x) * (1.0f - exp(-square) * (${horner("t", ERFC_FIT)}));
}`,
};

/** The functions that `text` calls, with those that they call, and `zero` where it is used; defined before use. */
export function wgslFunctionsFor(text: string): string {
  const out: string[] = [];
  let needing = text;
  for (const [name, definition] of Object.entries(WGSL_FUNCTIONS).reverse()) {
    if (!needing.includes(`${name}(`)) continue;
    out.unshift(definition);
    needing += definition;
  }
  if (/\bzero\b/.test(needing)) out.unshift("var<private> zero: u32 = 0u;");
  return out.map((definition) => `${definition}\n\n`).join("");
}
