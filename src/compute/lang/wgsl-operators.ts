/** How the operators of the kernel language read in WGSL. Texts of operands are atoms or parenthesised. */
import { InvariantError } from "../../base/errors.ts";
import type { BinaryOp, Expr, ScalarType, UnaryOp } from "./kernel.ts";
import { wgslFloat } from "./wgsl-functions.ts";

export function literal(x: Expr & { kind: "constant" }): string {
  const { type, value } = x;
  switch (type) {
    case "bool":
      return String(value);
    case "f32":
      return wgslFloat(Number(value));
    case "u32":
      return `${value}u`;
    case "i32":
      // The lowest i32 is no literal with a sign in front; negative ones are no atoms.
      return Number(value) === -0x80000000 ? "i32(-2147483648)" : Number(value) < 0 ? `(${value}i)` : `${value}i`;
  }
}

export function unary(op: UnaryOp, type: ScalarType, x: string): string {
  switch (op) {
    case "negate":
      return type === "u32" ? `(0u - ${x})` : `(-${x})`;
    case "not":
      return type === "bool" ? `(!${x})` : `(~${x})`;
    case "sign":
      return type === "u32" ? `min(${x}, 1u)` : `sign(${x})`;
    case "floor":
    case "ceil":
    case "round":
    case "trunc":
      return type === "f32" ? `${op}(${x})` : x;
    case "log":
    case "sin":
    case "cos":
    case "tanh":
    case "erf":
      return `${op}_f32(${x})`;
    case "abs":
    case "exp":
    case "sqrt":
      return `${op}(${x})`;
  }
}

const INFIX: { readonly [Op in BinaryOp]?: string } = {
  add: "+",
  subtract: "-",
  multiply: "*",
  divide: "/",
  less: "<",
  lessEqual: "<=",
  equal: "==",
  notEqual: "!=",
};

export function binary(op: BinaryOp, type: ScalarType, otherType: ScalarType, a: string, b: string): string {
  const infix = INFIX[op];
  if (infix !== undefined) return `(${a} ${infix} ${b})`;
  switch (op) {
    case "remainder":
      return type === "f32" ? `remainder_f32(${a}, ${b})` : `(${a} % ${b})`;
    case "power":
      return `power_${type}(${a}, ${b})`;
    case "minimum":
      return `min(${a}, ${b})`;
    case "maximum":
      return `max(${a}, ${b})`;
    case "and":
      return type === "bool" ? `(${a} && ${b})` : `(${a} & ${b})`;
    case "or":
      return type === "bool" ? `(${a} || ${b})` : `(${a} | ${b})`;
    case "xor":
      return type === "bool" ? `(${a} != ${b})` : `(${a} ^ ${b})`;
    case "shiftLeft":
      return `(${a} << ${shiftAmount(otherType, b)})`;
    case "shiftRight":
      return `(${a} >> ${shiftAmount(otherType, b)})`;
    case "multiplyHigh":
      return `multiply_high(${a}, ${b})`;
    default:
      throw new InvariantError(`print: expected a binary operator, found ${op}`);
  }
}

function shiftAmount(type: ScalarType, text: string): string {
  return `(${type === "i32" ? `bitcast<u32>(${text})` : text} & 31u)`;
}
