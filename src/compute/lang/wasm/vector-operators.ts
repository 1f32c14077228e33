/** The operators of the kernel language on vectors: what differs between lanes. A bool is all ones or all zeros. */
import { FLOAT_FUNCTIONS } from "./float-functions.ts";
import { wholeInterval } from "../interval.ts";
import type { BinaryOp, ScalarType, UnaryOp } from "../kernel.ts";
import { scalarBinary, I32_CAST_MAX, U32_CAST_MAX, type Output } from "./scalar-operators.ts";
import type { Opcode } from "./opcodes.ts";
import { divideVectors, multiplyHighVectors, remainderVectors, type SecondOperand } from "./vector-integers.ts";
import { VectorMath, type Push } from "./vector-math.ts";

const FLOAT_STEPS: { readonly [Op in UnaryOp]?: Opcode } = {
  negate: "f32x4.neg",
  abs: "f32x4.abs",
  floor: "f32x4.floor",
  ceil: "f32x4.ceil",
  trunc: "f32x4.trunc",
  round: "f32x4.nearest",
  sqrt: "f32x4.sqrt",
};

export function vectorUnary({ code }: Output, op: UnaryOp, type: ScalarType, x: Push): void {
  const m = new VectorMath(code);
  const step = type === "f32" ? FLOAT_STEPS[op] : INTEGER_STEPS[op];
  if (step !== undefined && !(type === "u32" && op === "abs")) {
    x();
    return code.op(step);
  }
  if (op === "sign") return signOf(m, type, x)();
  const float = type === "f32" ? FLOAT_FUNCTIONS[op] : undefined;
  if (float === undefined) x();
  else float(m, m.keep(x))();
}

const INTEGER_STEPS: { readonly [Op in UnaryOp]?: Opcode } = { negate: "i32x4.neg", not: "v128.not", abs: "i32x4.abs" };

function signOf(m: VectorMath, type: ScalarType, x: Push): Push {
  const value = m.keep(x);
  if (type === "u32") return m.op("i32x4.min_u", value, m.bits(1));
  const isFloat = type === "f32";
  const zero = isFloat ? m.number(0) : m.bits(0);
  const below = m.op(isFloat ? "f32x4.lt" : "i32x4.lt_s", value, zero);
  const above = m.op(isFloat ? "f32x4.gt" : "i32x4.gt_s", value, zero);
  // Masks are -1.
  const whole = m.op("i32x4.sub", below, above);
  return isFloat ? m.op("f32x4.convert_i32x4_s", whole) : whole;
}

const FLOAT: { readonly [Op in BinaryOp]?: Opcode } = {
  add: "f32x4.add",
  subtract: "f32x4.sub",
  multiply: "f32x4.mul",
  divide: "f32x4.div",
  minimum: "f32x4.pmin",
  maximum: "f32x4.pmax",
  less: "f32x4.lt",
  lessEqual: "f32x4.le",
  equal: "f32x4.eq",
  notEqual: "f32x4.ne",
};

const INTEGER: { readonly [Op in BinaryOp]?: readonly [signed: Opcode, unsigned: Opcode] } = {
  add: ["i32x4.add", "i32x4.add"],
  subtract: ["i32x4.sub", "i32x4.sub"],
  multiply: ["i32x4.mul", "i32x4.mul"],
  minimum: ["i32x4.min_s", "i32x4.min_u"],
  maximum: ["i32x4.max_s", "i32x4.max_u"],
  less: ["i32x4.lt_s", "i32x4.lt_u"],
  lessEqual: ["i32x4.le_s", "i32x4.le_u"],
  equal: ["i32x4.eq", "i32x4.eq"],
  notEqual: ["i32x4.ne", "i32x4.ne"],
  and: ["v128.and", "v128.and"],
  or: ["v128.or", "v128.or"],
  xor: ["v128.xor", "v128.xor"],
};

export function vectorBinary(output: Output, op: BinaryOp, type: ScalarType, a: Push, b: SecondOperand): void {
  const { code } = output;
  const plain = type === "f32" ? FLOAT[op] : INTEGER[op]?.[type === "i32" ? 0 : 1];
  if (plain !== undefined) {
    a();
    b.vector();
    return code.op(plain);
  }
  const m = new VectorMath(code);
  switch (op) {
    case "shiftLeft":
    case "shiftRight":
      if (b.scalar === undefined) break;
      a();
      b.scalar();
      return code.op(op === "shiftLeft" ? "i32x4.shl" : type === "i32" ? "i32x4.shr_s" : "i32x4.shr_u");
    case "divide":
      return divideVectors(m, type === "i32", m.keep(a), b)();
    case "remainder":
      if (type === "f32") break;
      return remainderVectors(m, type === "i32", m.keep(a), b)();
    case "multiplyHigh":
      return multiplyHighVectors(m, m.keep(a), m.keep(b.vector))();
  }
  laneByLane(output, op, type, a, b.vector);
}

/** What has no vector instruction: four times the scalar one. */
function laneByLane(output: Output, op: BinaryOp, type: ScalarType, a: Push, b: Push): void {
  const { code } = output;
  const m = new VectorMath(code);
  const [x, y] = [m.keep(a), m.keep(b)];
  const shape = type === "f32" ? "f32x4" : "i32x4";
  const laneOf = (push: Push, lane: number) => (): void => {
    push();
    code.lane(`${shape}.extract_lane`, lane);
  };
  for (let lane = 0; lane < 4; lane++) {
    scalarBinary(output, op, type, laneOf(x, lane), laneOf(y, lane), wholeInterval(type));
    if (lane === 0) code.op(`${shape}.splat`);
    else code.lane(`${shape}.replace_lane`, lane);
  }
}

/** Vectors of one type as vectors of another. */
export function vectorCast({ code }: Output, to: ScalarType, from: ScalarType, x: Push): void {
  const m = new VectorMath(code);
  if (to === from) return x();
  if (to === "bool") return (from === "f32" ? m.op("f32x4.ne", x, m.number(0)) : m.op("i32x4.ne", x, m.bits(0)))();
  if (from === "bool") return m.op("v128.and", x, to === "f32" ? m.number(1) : m.bits(1))();
  if (to === "f32") return m.op(from === "u32" ? "f32x4.convert_i32x4_u" : "f32x4.convert_i32x4_s", x)();
  if (from !== "f32") return x();
  const most = to === "i32" ? I32_CAST_MAX : U32_CAST_MAX;
  const least = m.op("f32x4.pmin", x, m.number(most));
  m.op(to === "i32" ? "i32x4.trunc_sat_f32x4_s" : "i32x4.trunc_sat_f32x4_u", least)();
}
