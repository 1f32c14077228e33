/** Integer division of vectors, which has no instruction: in doubles, where quotients of 32 bits are exact. */
import type { Interval } from "../interval.ts";
import type { Opcode } from "./opcodes.ts";
import type { Push, VectorMath } from "./vector-math.ts";

/** What is known of the second operand. */
export interface SecondOperand {
  readonly vector: Push;
  /** The same value as a scalar, where all lanes have it. */
  readonly scalar: Push | undefined;
  readonly range: Interval;
}

/** a / b toward zero; a for b = 0 and the one overflow. `a` may be pushed more than once. */
export function divideVectors(m: VectorMath, isSigned: boolean, a: Push, b: SecondOperand): Push {
  const { min, max } = b.range;
  if (min === max && min > 0) {
    // A little more than 1 / b: far too little to reach the next whole number, enough to reach this one.
    const factor = m.double((1 / min) * (1 + 2 ** -50));
    return inDoubles(m, isSigned, a, (x) => m.op("f64x2.mul", x, factor));
  }
  const divisor = m.keep(b.vector);
  const quotient = m.keep(inDoubles(m, isSigned, a, (x, half) => m.op("f64x2.div", x, half(divisor))));
  const known = min > 0 ? quotient : m.choose(m.op("i32x4.eq", divisor, m.bits(0)), a, quotient);
  return !isSigned || min > -1 ? known : m.choose(m.op("i32x4.eq", divisor, m.bits(-1)), m.op("i32x4.neg", a), known);
}

/** a - b * (a / b); 0 for b = 0. */
export function remainderVectors(m: VectorMath, isSigned: boolean, a: Push, b: SecondOperand): Push {
  const divisor = m.keep(b.vector);
  const quotient = divideVectors(m, isSigned, a, { ...b, vector: divisor });
  const rest = m.op("i32x4.sub", a, m.op("i32x4.mul", quotient, divisor));
  return b.range.min > 0 ? rest : m.op("v128.and", rest, m.op("i32x4.ne", divisor, m.bits(0)));
}

type Half = (vector: Push) => Push;

/** `quotient` of the lower and the upper half, truncated and joined again. */
function inDoubles(m: VectorMath, isSigned: boolean, a: Push, quotient: (x: Push, half: Half) => Push): Push {
  const convert: Opcode = isSigned ? "f64x2.convert_low_i32x4_s" : "f64x2.convert_low_i32x4_u";
  const truncate: Opcode = isSigned ? "i32x4.trunc_sat_f64x2_s_zero" : "i32x4.trunc_sat_f64x2_u_zero";
  const low: Half = (vector) => m.op(convert, vector);
  const high: Half = (vector) => m.op(convert, m.upper(vector));
  return m.joined(m.op(truncate, quotient(low(a), low)), m.op(truncate, quotient(high(a), high)));
}

/** The upper words of the products of u32. */
export function multiplyHighVectors(m: VectorMath, a: Push, b: Push): Push {
  return () => {
    m.op("i64x2.extmul_low_i32x4_u", a, b)();
    m.op("i64x2.extmul_high_i32x4_u", a, b)();
    m.code.shuffle([1, 3, 5, 7]);
  };
}
