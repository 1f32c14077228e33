/**
 * Kernels as WGSL: one entry point `main`, 64 invocations a workgroup, bindings in group 0.
 *
 * Grids beyond 65,535 workgroups fold into y. Arrays have their length in their type. What WGSL leaves open (indices
 * outside an array, constants that overflow, sin of large angles) is written out, so that devices agree.
 */
import { assert } from "../../base/assert.ts";
import { InvariantError } from "../../base/errors.ts";
import type { BinaryOp, Binding, Expr, Kernel, ScalarType, UnaryOp } from "./kernel.ts";
import type { Value } from "./numbering.ts";
import { isInside } from "./numbering.ts";
import { printBody, printedName, type Target } from "./print.ts";
import { wgslFloat, wgslFunctionsFor } from "./wgsl-functions.ts";

/** Invocations in a workgroup. */
const LANES = 64;
/** Workgroups along a dimension, on every WebGPU device. */
const WORKGROUPS_MAX = 65_535;

/** Workgroups of a kernel's dispatch, [x, y]. */
export function workgroupsOf(kernel: Kernel): readonly [number, number] {
  const total = Math.ceil(kernel.invocations / LANES);
  const y = Math.ceil(total / WORKGROUPS_MAX);
  return [Math.ceil(total / y), y];
}

/** Whether a binding has the writable type: one that is only read may have to, too. */
export function isBoundWritable({ access, isShared }: Binding): boolean {
  return access !== "read" || isShared === true;
}

/** The WGSL module of a kernel. @throws InvariantError for a kernel that breaks the rules of `kernel.ts`. */
export function printWgsl(kernel: Kernel): string {
  const body = printBody(kernel, new WgslTarget(kernel)).join("\n");
  const bindings = kernel.bindings.map((binding, i) => (binding.aliasOf === undefined ? printBinding(binding, i) : "")).join(""); // prettier-ignore
  const main = `@compute @workgroup_size(${LANES})
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
${body}
}
`;
  const enables = kernel.bindings.some(({ type }) => type === "f16") ? "enable f16;\n" : "";
  return `${enables}${bindings}\n${wgslFunctionsFor(body)}${main}`;
}

function printBinding(binding: Binding, index: number): string {
  const { type, length } = binding;
  const mode = isBoundWritable(binding) ? "read_write" : "read";
  return `@group(0) @binding(${index}) var<storage, ${mode}> b${index}: array<${type}, ${length}>;\n`;
}

class WgslTarget implements Target {
  readonly #kernel: Kernel;

  constructor(kernel: Kernel) {
    this.#kernel = kernel;
  }

  openEach(): readonly string[] {
    const { invocations } = this.#kernel;
    const [x, y] = workgroupsOf(this.#kernel);
    const number = y === 1 ? "id.x" : `id.y * ${x * LANES}u + id.x`;
    const lines = [`let invocation = bitcast<i32>(${number});`];
    if (x * y * LANES > invocations) lines.push(`if (${number} >= ${invocations}u) { return; }`);
    return lines;
  }

  closeEach(): readonly string[] {
    return [];
  }

  define(name: string, _type: ScalarType, text: string, isMutable: boolean): string {
    return `${isMutable ? "var" : "let"} ${name} = ${text};`;
  }

  assign(name: string, text: string): string {
    return `${name} = ${text};`;
  }

  store(binding: number, index: string, value: string): string {
    const isHalf = this.#kernel.bindings[binding]?.type === "f16";
    return `b${binding}[${index}] = ${isHalf ? `f16(${value})` : value};`;
  }

  openFor(name: string, from: string, to: string): string {
    return `for (var ${name} = ${from}; ${name} < ${to}; ${name}++) {`;
  }

  openIf(condition: string): string {
    return `if (${condition}) {`;
  }

  inside(index: string, indexType: ScalarType, binding: Binding): string {
    // A negative index becomes a large one.
    return `${indexType === "i32" ? `bitcast<u32>(${index})` : index} < ${binding.length}u`;
  }

  expression(value: Value, operands: readonly string[]): string {
    const { expr } = value;
    const [a = "", b = "", c = ""] = operands;
    switch (expr.kind) {
      case "constant":
        return literal(expr);
      case "variable":
        return printedName(expr.name);
      case "unary":
        return unary(expr.op, expr.type, a);
      case "binary":
        return binary(expr.op, expr.a.type, expr.b.type, a, b);
      case "select":
        return `select(${c}, ${b}, ${a})`;
      case "cast":
        return `${expr.type}(${a})`;
      case "bitcast":
        return `bitcast<${expr.type}>(${a}${hiding(value.operands[0])})`;
      case "load":
        return this.#load(expr.binding, value, a);
    }
  }

  #load(at: number, value: Value, index: string): string {
    const binding = this.#kernel.bindings[at];
    const place = value.operands[0];
    assert(binding !== undefined && place !== undefined, `print ${this.#kernel.name}: no binding ${at}`);
    const array = `b${binding.aliasOf ?? at}`;
    const element = (text: string): string => (binding.type === "f16" ? `f32(${array}[${text}])` : `${array}[${text}]`);
    if (isInside(place, binding)) return element(index);
    const last = binding.length - 1;
    const inside = place.expr.type === "u32" ? `min(${index}, ${last}u)` : `clamp(${index}, 0i, ${last}i)`;
    return element(inside);
  }
}

/** What makes the bits of a literal integer a runtime value: those of a NaN must not be evaluated by the compiler. */
function hiding(operand: Value | undefined): string {
  if (operand?.expr.kind !== "constant") return "";
  return operand.expr.type === "u32" ? " ^ zero" : operand.expr.type === "i32" ? " ^ bitcast<i32>(zero)" : "";
}

function literal(x: Expr & { kind: "constant" }): string {
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

function unary(op: UnaryOp, type: ScalarType, x: string): string {
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

function binary(op: BinaryOp, type: ScalarType, otherType: ScalarType, a: string, b: string): string {
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
