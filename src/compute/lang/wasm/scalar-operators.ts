/** The operators of the kernel language on single values: what is the same in all lanes. A bool is 0 or 1. */
import type { Interval } from "../interval.ts";
import type { BinaryOp, ScalarType, UnaryOp } from "../kernel.ts";
import type { Code } from "./code.ts";
import { FLOAT_FUNCTIONS } from "./float-functions.ts";
import { IMPORTED, type Library } from "./library.ts";
import type { Opcode } from "./opcodes.ts";
import { VectorMath, type Push } from "./vector-math.ts";

/** Where code goes, and what it may call. */
export interface Output {
  readonly code: Code;
  readonly library: Library;
}

/** Casts from f32 saturate here, as WGSL's do. */
export const I32_CAST_MAX = 2147483520;
/** The same for u32. */
export const U32_CAST_MAX = 4294967040;

const FLOAT_STEPS: { readonly [Op in UnaryOp]?: Opcode } = {
  negate: "f32.neg",
  abs: "f32.abs",
  floor: "f32.floor",
  ceil: "f32.ceil",
  trunc: "f32.trunc",
  round: "f32.nearest",
  sqrt: "f32.sqrt",
};

export function scalarUnary({ code }: Output, op: UnaryOp, type: ScalarType, x: Push): void {
  if (type === "f32") return floatUnary(code, op, x);
  switch (op) {
    case "negate":
      code.i32(0);
      x();
      return code.op("i32.sub");
    case "not":
      x();
      if (type === "bool") return code.op("i32.eqz");
      code.i32(-1);
      return code.op("i32.xor");
    case "abs":
      return type === "i32" ? integerAbs(code, x) : x();
    case "sign":
      return type === "i32" ? sign(code, "i32", x) : isNotZero(code, x);
    default:
      // Integers have no fractions to round.
      return x();
  }
}

function floatUnary(code: Code, op: UnaryOp, x: Push): void {
  const step = FLOAT_STEPS[op];
  if (step !== undefined) {
    x();
    return code.op(step);
  }
  if (op === "sign") {
    sign(code, "f32", x);
    return code.op("f32.convert_i32_s");
  }
  const float = FLOAT_FUNCTIONS[op];
  if (float === undefined) return x();
  const m = new VectorMath(code);
  const splat = m.keep(m.op("f32x4.splat", x));
  float(m, splat)();
  code.lane("f32x4.extract_lane", 0);
}

/** (0 < x) - (x < 0) */
function sign(code: Code, type: "i32" | "f32", x: Push): void {
  const local = code.local(type);
  const zero = (): void => (type === "f32" ? code.f32(0) : code.i32(0));
  const less: Opcode = type === "f32" ? "f32.lt" : "i32.lt_s";
  x();
  code.set(local);
  zero();
  code.get(local);
  code.op(less);
  code.get(local);
  zero();
  code.op(less, "i32.sub");
}

function integerAbs(code: Code, x: Push): void {
  const [value, mask] = [code.local("i32"), code.local("i32")];
  x();
  code.tee(value);
  code.i32(31);
  code.op("i32.shr_s");
  code.tee(mask);
  code.get(value);
  code.op("i32.xor");
  code.get(mask);
  code.op("i32.sub");
}

function isNotZero(code: Code, x: Push): void {
  x();
  code.i32(0);
  code.op("i32.ne");
}

const FLOAT: { readonly [Op in BinaryOp]?: Opcode } = {
  add: "f32.add",
  subtract: "f32.sub",
  multiply: "f32.mul",
  divide: "f32.div",
  less: "f32.lt",
  lessEqual: "f32.le",
  equal: "f32.eq",
  notEqual: "f32.ne",
};

const INTEGER: { readonly [Op in BinaryOp]?: readonly [signed: Opcode, unsigned: Opcode] } = {
  add: ["i32.add", "i32.add"],
  subtract: ["i32.sub", "i32.sub"],
  multiply: ["i32.mul", "i32.mul"],
  less: ["i32.lt_s", "i32.lt_u"],
  lessEqual: ["i32.le_s", "i32.le_u"],
  equal: ["i32.eq", "i32.eq"],
  notEqual: ["i32.ne", "i32.ne"],
  and: ["i32.and", "i32.and"],
  or: ["i32.or", "i32.or"],
  xor: ["i32.xor", "i32.xor"],
  shiftLeft: ["i32.shl", "i32.shl"],
  shiftRight: ["i32.shr_s", "i32.shr_u"],
};

/** Two operands of `type`; `divisor` is what is known of the second. */
export function scalarBinary(
  output: Output,
  op: BinaryOp,
  type: ScalarType,
  a: Push,
  b: Push,
  divisor: Interval,
): void {
  const { code, library } = output;
  const plain = type === "f32" ? FLOAT[op] : INTEGER[op]?.[type === "i32" ? 0 : 1];
  if (plain !== undefined) {
    a();
    b();
    return code.op(plain);
  }
  switch (op) {
    case "minimum":
      return chosen(code, type, a, b, (x, y) => lessThan(code, type, y, x));
    case "maximum":
      return chosen(code, type, a, b, (x, y) => lessThan(code, type, x, y));
    case "divide":
      a();
      b();
      if (divisor.min > 0) return code.op(type === "i32" ? "i32.div_s" : "i32.div_u");
      return library.call(code, type === "i32" ? "divideSigned" : "divideUnsigned");
    case "remainder":
      return type === "f32" ? imported(code, "remainder", a, b) : remainder(output, type, a, b, divisor);
    case "power":
      if (type === "f32") return imported(code, "pow", a, b);
      a();
      b();
      return library.call(code, type === "i32" ? "powerSigned" : "powerUnsigned");
    case "multiplyHigh":
      return multiplyHigh(code, a, b);
  }
}

/** b where `takesOther`, else a: so that a NaN in `a` stays. */
function chosen(code: Code, type: ScalarType, a: Push, b: Push, takesOther: (a: Push, b: Push) => void): void {
  const wasm = type === "f32" ? "f32" : "i32";
  const [x, y] = [code.local(wasm), code.local(wasm)];
  b();
  code.tee(y);
  a();
  code.tee(x);
  takesOther(
    () => code.get(x),
    () => code.get(y),
  );
  code.op("select");
}

function lessThan(code: Code, type: ScalarType, a: Push, b: Push): void {
  a();
  b();
  code.op(type === "f32" ? "f32.lt" : type === "i32" ? "i32.lt_s" : "i32.lt_u");
}

/** a - b * (a / b), but 0 for b = 0. */
function remainder({ code, library }: Output, type: ScalarType, a: Push, b: Push, divisor: Interval): void {
  const isSigned = type === "i32";
  if (divisor.min > 0) {
    a();
    b();
    return code.op(isSigned ? "i32.rem_s" : "i32.rem_u");
  }
  const [x, y] = [code.local("i32"), code.local("i32")];
  a();
  code.tee(x);
  code.get(x);
  b();
  code.tee(y);
  library.call(code, isSigned ? "divideSigned" : "divideUnsigned");
  code.get(y);
  code.op("i32.mul", "i32.sub");
  code.i32(0);
  code.get(y);
  code.op("select");
}

function imported(code: Code, name: keyof typeof IMPORTED, a: Push, b: Push): void {
  for (const push of [a, b]) {
    push();
    code.op("f64.promote_f32");
  }
  code.call(IMPORTED[name]);
  code.op("f32.demote_f64");
}

/** The upper word of the product of two u32. */
function multiplyHigh(code: Code, a: Push, b: Push): void {
  for (const push of [a, b]) {
    push();
    code.op("i64.extend_i32_u");
  }
  code.op("i64.mul");
  code.i64(32);
  code.op("i64.shr_u", "i32.wrap_i64");
}

/** A value of one type as one of another. */
export function scalarCast(code: Code, to: ScalarType, from: ScalarType, x: Push): void {
  if (to === from) return x();
  if (to === "bool") {
    x();
    if (from === "f32") code.f32(0);
    else code.i32(0);
    return code.op(from === "f32" ? "f32.ne" : "i32.ne");
  }
  if (to === "f32") {
    x();
    return code.op(from === "u32" ? "f32.convert_i32_u" : "f32.convert_i32_s");
  }
  if (from !== "f32") return x();
  const most = to === "i32" ? I32_CAST_MAX : U32_CAST_MAX;
  chosen(code, "f32", x, () => code.f32(most), (a, b) => lessThan(code, "f32", b, a)); // prettier-ignore
  code.op(to === "i32" ? "i32.trunc_sat_f32_s" : "i32.trunc_sat_f32_u");
}

/** The same bits as another type. */
export function scalarBitcast(code: Code, to: ScalarType, from: ScalarType, x: Push): void {
  x();
  if (to === "f32" && from !== "f32") code.op("f32.reinterpret_i32");
  if (to !== "f32" && from === "f32") code.op("i32.reinterpret_f32");
}
