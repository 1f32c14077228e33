/**
 * Kernels as JavaScript: a function `(arrays, from, to)` that runs the invocations [from, to) over typed arrays.
 *
 * Integers wrap to the bit. f32 arithmetic runs in double between loads, stores and whatever depends on a single bit:
 * operands of comparisons, of rounding, of `%`, of casts to integers and of bitcasts are rounded to f32 first. (Rounding
 * everything makes loops 2.6 times slower in V8, which keeps loop variables as doubles.)
 */
import { assert } from "../../base/assert.ts";
import { float16Bits, float16OfBits } from "../../base/float16.ts";
import { InvariantError, UnsupportedError } from "../../base/errors.ts";
import type { BinaryOp, Binding, Kernel, ScalarType, UnaryOp } from "./kernel.ts";
import { isInside, type Value } from "./numbering.ts";
import { printBody, printedName, type Target } from "./print.ts";
import * as scalar from "./scalar-functions.ts";

/** An array that a kernel can be bound to: a Uint16Array of bits for f16. */
export type KernelArray = Float32Array | Uint16Array | Int32Array | Uint32Array;

/** Runs the invocations from `from` up to, not including, `to`. */
export type KernelFunction = (arrays: readonly KernelArray[], from: number, to: number) => void;

/** By their bits: decoding one by one would cost ten times as much. */
const F16_VALUES = Float32Array.from({ length: 2 ** 16 }, (_, bits) => float16OfBits(bits));

/** What printed kernels call, by the names they use. */
const FUNCTIONS = {
  fround: Math.fround,
  imul: Math.imul,
  abs: Math.abs,
  sign: Math.sign,
  floor: Math.floor,
  ceil: Math.ceil,
  trunc: Math.trunc,
  exp: Math.exp,
  log: Math.log,
  sqrt: Math.sqrt,
  sin: Math.sin,
  cos: Math.cos,
  tanh: Math.tanh,
  pow: Math.pow,
  min: Math.min,
  max: Math.max,
  clamp: (x: number, last: number): number => (x < 0 ? 0 : x > last ? last : x),
  round: scalar.roundHalfEven,
  erf: scalar.erf,
  multiplyHigh: scalar.multiplyHighU32,
  divideI32: scalar.divideI32,
  divideU32: scalar.divideU32,
  remainderI32: scalar.remainderI32,
  remainderU32: scalar.remainderU32,
  powerI32: scalar.powerI32,
  powerU32: scalar.powerU32,
  toI32: scalar.toI32,
  toU32: scalar.toU32,
  bitsOfF32: scalar.bitsOfF32,
  f32OfBits: scalar.f32OfBits,
  f16Of: (bits: number): number => F16_VALUES[bits] ?? 0,
  bitsOfF16: float16Bits,
} as const;

const FUNCTION_NAMES = Object.keys(FUNCTIONS).join(", ");

/** The source of an arrow function of type KernelFunction; it wants the functions in scope that `compileJavaScript` gives. */
export function printJavaScript(kernel: Kernel): string {
  const bindings = kernel.bindings.map((_, index) => `  const b${index} = arrays[${index}];\n`).join("");
  const body = printBody(kernel, new JavaScriptTarget(kernel)).join("\n");
  return `(arrays, from, to) => {\n${bindings}${body}\n}`;
}

/**
 * The function that `source` (see `printJavaScript`) describes.
 *
 * @throws UnsupportedError where the page's security policy forbids making code from text.
 */
export function compileJavaScript(source: string): KernelFunction {
  try {
    const make = new Function(
      "functions",
      `"use strict";\nconst { ${FUNCTION_NAMES} } = functions;\nreturn ${source};`,
    );
    return make(FUNCTIONS) as KernelFunction;
  } catch (cause) {
    if (!(cause instanceof EvalError)) throw cause;
    throw new UnsupportedError(
      "compileJavaScript: expected a page that allows 'unsafe-eval', found one that does not",
      {
        cause,
      },
    );
  }
}

class JavaScriptTarget implements Target {
  readonly #kernel: Kernel;
  /** By value id: true where the number is an f32 already. */
  readonly #exact = new Map<number, boolean>();

  constructor(kernel: Kernel) {
    this.#kernel = kernel;
  }

  openEach(): readonly string[] {
    return ["for (let invocation = from; invocation < to; invocation++) {"];
  }

  closeEach(): readonly string[] {
    return ["}"];
  }

  define(name: string, _type: ScalarType, text: string, isMutable: boolean): string {
    return `${isMutable ? "let" : "const"} ${name} = ${text};`;
  }

  assign(name: string, text: string): string {
    return `${name} = ${text};`;
  }

  store(binding: number, index: string, value: string): string {
    const isHalf = this.#kernel.bindings[binding]?.type === "f16";
    return `b${binding}[${index}] = ${isHalf ? `bitsOfF16(${value})` : value};`;
  }

  openFor(name: string, from: string, to: string): string {
    return `for (let ${name} = ${from}; ${name} < ${to}; ${name}++) {`;
  }

  openIf(condition: string): string {
    return `if (${condition}) {`;
  }

  inside(index: string, indexType: ScalarType, binding: Binding): string {
    const below = `${index} < ${binding.length}`;
    return indexType === "i32" ? `${index} >= 0 && ${below}` : below;
  }

  expression(value: Value, texts: readonly string[]): string {
    const { expr } = value;
    this.#exact.set(value.id, this.#isExact(value));
    const rounded = roundsOperands(value) ? texts.map((text, i) => this.#rounded(value.operands[i], text)) : texts;
    const [a = "", b = "", c = ""] = rounded;
    switch (expr.kind) {
      case "constant":
        return literal(expr.type === "f32" ? Math.fround(Number(expr.value)) : expr.value);
      case "variable":
        return printedName(expr.name);
      case "unary":
        return unary(expr.op, expr.type, a);
      case "binary":
        return binary(expr.op, expr.a.type, a, b, value.operands[1]);
      case "select":
        return `(${a} ? ${b} : ${c})`;
      case "cast":
        return cast(expr.type, expr.x.type, a);
      case "bitcast":
        return bitcast(expr.type, expr.x.type, a);
      case "load":
        return this.#load(expr.binding, value, a);
    }
  }

  #load(at: number, value: Value, index: string): string {
    const binding = this.#kernel.bindings[at];
    const place = value.operands[0];
    assert(binding !== undefined && place !== undefined, `print ${this.#kernel.name}: no binding ${at}`);
    const inside = isInside(place, binding) ? index : `clamp(${index}, ${binding.length - 1})`;
    return binding.type === "f16" ? `f16Of(b${at}[${inside}])` : `b${at}[${inside}]`;
  }

  #rounded(operand: Value | undefined, text: string): string {
    if (operand === undefined || operand.expr.type !== "f32" || this.#exact.get(operand.id) === true) return text;
    return `fround(${text})`;
  }

  #isExact({ expr, operands }: Value): boolean {
    if (expr.type !== "f32") return true;
    const all = operands.every((operand) => this.#exact.get(operand.id) === true);
    switch (expr.kind) {
      case "constant":
      case "load":
      case "bitcast":
      case "cast":
        return true;
      case "variable":
        return false;
      case "unary":
        return EXACT_ALWAYS.has(expr.op) || (EXACT_IF_OPERANDS.has(expr.op) && all);
      case "binary":
        return EXACT_IF_OPERANDS.has(expr.op) && all;
      case "select":
        return all;
    }
  }
}

const EXACT_ALWAYS: ReadonlySet<UnaryOp | BinaryOp> = new Set(["floor", "ceil", "round", "trunc", "sign", "remainder"]);
const EXACT_IF_OPERANDS: ReadonlySet<UnaryOp | BinaryOp> = new Set([
  "negate",
  "abs",
  "minimum",
  "maximum",
  "remainder",
]);

/** True for what may jump when an operand changes by one bit. */
function roundsOperands({ expr }: Value): boolean {
  switch (expr.kind) {
    case "unary":
      return EXACT_ALWAYS.has(expr.op);
    case "binary":
      return expr.type === "bool" || expr.op === "remainder" || expr.op === "power";
    case "cast":
    case "bitcast":
      return expr.type !== "f32";
    default:
      return false;
  }
}

function literal(value: number | boolean): string {
  if (Object.is(value, -0)) return "(-0)";
  return typeof value === "number" && value < 0 ? `(${value})` : String(value);
}

/** `text`, whose operators bind tighter than `|` and `>>>`, brought into `type`. */
function wrapped(type: ScalarType, text: string): string {
  return type === "i32" ? `(${text} | 0)` : type === "u32" ? `(${text} >>> 0)` : `(${text})`;
}

function unary(op: UnaryOp, type: ScalarType, x: string): string {
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

function binary(op: BinaryOp, type: ScalarType, a: string, b: string, divisor: Value | undefined): string {
  const comparison = COMPARISON[op];
  if (comparison !== undefined) return `(${a} ${comparison} ${b})`;
  const suffix = type === "i32" ? "I32" : "U32";
  const isNotZero = divisor !== undefined && (divisor.range.min > 0 || divisor.range.max < 0);
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

function cast(to: ScalarType, from: ScalarType, x: string): string {
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

function bitcast(to: ScalarType, from: ScalarType, x: string): string {
  if (to === "f32") return `f32OfBits(${x} >>> 0)`;
  const whole = from === "f32" ? `bitsOfF32(${x})` : x;
  return to === "i32" ? `(${whole} | 0)` : `(${whole} >>> 0)`;
}
