/** IEEE 754 binary16: values and bits. Rounding is to nearest, ties to even; what is too large becomes infinite. */

/** 2^(e - 15) by e. */
const POWERS = Float64Array.from({ length: 32 }, (_, exponent) => 2 ** (exponent - 15));
const SCRATCH = new DataView(new ArrayBuffer(4));

/** The bits of the float16 next to `value`. NaN keeps no payload. */
export function float16Bits(value: number): number {
  SCRATCH.setFloat32(0, value);
  return bitsBeside(SCRATCH.getUint32(0), value);
}

/** For the float32 of these bits, which is next to `value`. */
function bitsBeside(bits: number, value: number): number {
  const sign = (bits >>> 16) & 0x8000;
  const magnitude = bits & 0x7fffffff;
  if (magnitude > 0x7f800000) return sign | 0x7e00;
  if (magnitude >= 0x47800000) return sign | 0x7c00;
  // Below 2^-14 neighbours are 2^-24 apart. Doubles hold the product, so that it is rounded once.
  if (magnitude < 0x38800000) return sign | roundHalfEven(Math.abs(Math.fround(value)) * 2 ** 24);
  const rounded = magnitude + 0xfff + ((magnitude >>> 13) & 1);
  return sign | ((rounded - 0x38000000) >>> 13);
}

/** The value of a float16's bits. */
export function float16OfBits(bits: number): number {
  const sign = (bits & 0x8000) === 0 ? 1 : -1;
  const exponent = (bits >>> 10) & 0x1f;
  const fraction = bits & 0x3ff;
  if (exponent === 0) return sign * fraction * 2 ** -24;
  if (exponent === 31) return fraction === 0 ? sign * Infinity : Number.NaN;
  return sign * (1 + fraction / 1024) * (POWERS[exponent] ?? 0);
}

/** The float16 next to the float32 next to `value`. */
export function roundToFloat16(value: number): number {
  return float16OfBits(float16Bits(value));
}

/** Values as float16 bits. */
export function encodeFloat16(values: ArrayLike<number>): Uint16Array<ArrayBuffer> {
  const floats = values instanceof Float32Array ? values : Float32Array.from(values);
  const bits = new Uint32Array(floats.buffer, floats.byteOffset, floats.length);
  const out = new Uint16Array(floats.length);
  for (let at = 0; at < out.length; at++) out[at] = bitsBeside(bits[at] as number, floats[at] as number);
  return out;
}

/** Float16 bits as values. */
export function decodeFloat16(bits: Uint16Array): Float32Array<ArrayBuffer> {
  const out = new Float32Array(bits.length);
  for (let at = 0; at < out.length; at++) out[at] = float16OfBits(bits[at] as number);
  return out;
}

function roundHalfEven(x: number): number {
  const down = Math.floor(x);
  const rest = x - down;
  return rest > 0.5 || (rest === 0.5 && down % 2 === 1) ? down + 1 : down;
}
