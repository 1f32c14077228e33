/** Halves, four at a time: to floats and back, exactly. What is stored is the float of some half already. */
import type { Push, VectorMath } from "./vector-math.ts";

const EXPONENT = 0x7f800000;

/** The floats of the halves in the lower 16 bits of each lane. */
export function floatsOfHalves(m: VectorMath, halves: Push): Push {
  const bits = m.keep(halves);
  const magnitude = m.keep(m.shifted("i32x4.shl", m.op("v128.and", bits, m.bits(0x7fff)), 13));
  // The exponents of halves are 112 less, which a product adds to subnormal ones too.
  const number = m.multiply(magnitude, m.number(2 ** 112));
  const isSpecial = m.op("i32x4.gt_s", magnitude, m.bits(0x0f7fffff));
  const special = m.op("v128.or", magnitude, m.bits(EXPONENT));
  const sign = m.shifted("i32x4.shl", m.op("v128.and", bits, m.bits(0x8000)), 16);
  return m.op("v128.or", m.choose(isSpecial, special, number), sign);
}

/** The halves of floats that halves can be, each in the lower 16 bits of its lane. */
export function halvesOfFloats(m: VectorMath, floats: Push): Push {
  const bits = m.keep(floats);
  const magnitude = m.keep(m.op("v128.and", bits, m.bits(0x7fffffff)));
  const number = m.shifted("i32x4.shr_u", m.multiply(magnitude, m.number(2 ** -112)), 13);
  const isSpecial = m.op("i32x4.gt_s", magnitude, m.bits(EXPONENT - 1));
  const special = m.op(
    "v128.or",
    m.op("v128.and", m.shifted("i32x4.shr_u", magnitude, 13), m.bits(0x3ff)),
    m.bits(0x7c00),
  );
  const sign = m.op("v128.and", m.shifted("i32x4.shr_u", bits, 16), m.bits(0x8000));
  return m.op("v128.or", m.choose(isSpecial, special, number), sign);
}
