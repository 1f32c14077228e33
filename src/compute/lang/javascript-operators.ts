/** How the operators of the kernel language read in JavaScript. Texts of operands are atoms or parenthesised. */
import { InvariantError } from "../../base/errors.ts";
import type { Interval } from "./interval.ts";
import type { BinaryOp, ScalarType, UnaryOp } from "./kernel.ts";

export function literal(value: number | boolean): string {
  if (Object.is(value, -0)) return "(-0)";
  return typeof value === "number" && value < 0 ? `(${value})` : String(value);
}

/** `text`, whose operators bind tighter than `|` and `>>>`, brought into `type`. */
function wrapped(type: ScalarType, text: string): string {
  return type === "i32" ? `(${text} | 0)` : type === "u32" ? `(${text} >>> 0)` : `(${text})`;
}

export function unary(op: UnaryOp, type: ScalarType, x: string): string {
  switch (op) {
    case "negate":
      return wrapped(type, `-${x}`);
    case "not":
      return type === "bool" ? `(!${x})` : wrapped(type, `~${x}`);
    case "abs":
      return type === "i32" ? wrapped(type, `abs(${x})`) : `abs(${x})`;
    case "floor":
    case "ceil":
    case "round":
    case "trunc":
      return type === "f32" ? `${op}(${x})` : x;
    default:
      return `${op}(${x})`;
  }
}

const COMPARISON: { readonly [Op in BinaryOp]?: string } = {
  less: "<",
  lessEqual: "<=",
  equal: "===",
  notEqual: "!==",
};

/** `divisor` is what is known of `b`. */
export function binary(op: BinaryOp, type: ScalarType, a: string, b: string, divisor: Interval | undefined): string {
  const comparison = COMPARISON[op];
  if (comparison !== undefined) return `(${a} ${comparison} ${b})`;
  const suffix = type === "i32" ? "I32" : "U32";
  const isNotZero = divisor !== undefined && (divisor.min > 0 || divisor.max < 0);
  switch (op) {
    case "add":
      return wrapped(type, `${a} + ${b}`);
    case "subtract":
      return wrapped(type, `${a} - ${b}`);
    case "multiply":
      return type === "f32" ? `(${a} * ${b})` : type === "i32" ? `imul(${a}, ${b})` : `(imul(${a}, ${b}) >>> 0)`;
    case "divide":
      return type === "f32" || isNotZero ? wrapped(type, `${a} / ${b}`) : `divide${suffix}(${a}, ${b})`;
    case "remainder":
      return type === "f32" || isNotZero ? wrapped(type, `${a} % ${b}`) : `remainder${suffix}(${a}, ${b})`;
    case "power":
      return type === "f32" ? `pow(${a}, ${b})` : `power${suffix}(${a}, ${b})`;
    case "minimum":
      return `min(${a}, ${b})`;
    case "maximum":
      return `max(${a}, ${b})`;
    case "multiplyHigh":
      return `multiplyHigh(${a}, ${b})`;
    default:
      return bits(op, type, a, b);
  }
}

function bits(op: BinaryOp, type: ScalarType, a: string, b: string): string {
  switch (op) {
    case "and":
      return type === "bool" ? `(${a} && ${b})` : wrapped(type, `(${a} & ${b})`);
    case "or":
      return type === "bool" ? `(${a} || ${b})` : wrapped(type, `(${a} | ${b})`);
    case "xor":
      return type === "bool" ? `(${a} !== ${b})` : wrapped(type, `(${a} ^ ${b})`);
    case "shiftLeft":
      return wrapped(type, `${a} << ${b}`);
    case "shiftRight":
      return type === "u32" ? `(${a} >>> ${b})` : `(${a} >> ${b})`;
    default:
      throw new InvariantError(`print: expected a binary operator, found ${op}`);
  }
}

export function cast(to: ScalarType, from: ScalarType, x: string): string {
  if (to === from) return x;
  if (from === "bool") return `(${x} ? 1 : 0)`;
  switch (to) {
    case "bool":
      return `(${x} !== 0)`;
    case "f32":
      return `fround(${x})`;
    case "i32":
      return from === "f32" ? `toI32(${x})` : `(${x} | 0)`;
    case "u32":
      return from === "f32" ? `toU32(${x})` : `(${x} >>> 0)`;
  }
}

export function bitcast(to: ScalarType, from: ScalarType, x: string): string {
  if (to === "f32") return `f32OfBits(${x} >>> 0)`;
  const whole = from === "f32" ? `bitsOfF32(${x})` : x;
  return to === "i32" ? `(${whole} | 0)` : `(${whole} >>> 0)`;
}
