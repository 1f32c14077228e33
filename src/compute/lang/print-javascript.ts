/**
 * Kernels as JavaScript: a function `(arrays, from, to)` that runs the invocations [from, to) over typed arrays. Plain
 * kernels are a loop over invocations; those with barriers or subgroups one generator a lane (`lock-step.ts`).
 *
 * Integers wrap to the bit. f32 arithmetic runs in double between loads, stores and whatever depends on a single bit:
 * operands of comparisons, of rounding, of `%`, of casts to integers and of bitcasts are rounded to f32 first. (Rounding
 * everything makes loops 2.6 times slower in V8, which keeps loop variables as doubles.)
 */
import { assert } from "../../base/assert.ts";
import { float16Bits, float16OfBits } from "../../base/float16.ts";
import { UnsupportedError } from "../../base/errors.ts";
import type { ArrayPlace } from "./array-place.ts";
import { isLockStep } from "./features.ts";
import { binary, bitcast, cast, literal, unary } from "./javascript-operators.ts";
import { lanesOf, type BinaryOp, type BuiltInName, type Kernel, type ScalarType, type UnaryOp } from "./kernel.ts";
import { runLockStep, type LockStepSite } from "./lock-step.ts";
import { isInside, type Line, type Value } from "./numbered-kernel.ts";
import { printBody, type Target } from "./print.ts";
import { printedName } from "./printed-name.ts";
import { Races } from "./races.ts";
import * as scalar from "./scalar-functions.ts";

/** An array that a kernel can be bound to: a Uint16Array of bits for f16. */
export type KernelArray = Float32Array | Uint16Array | Int32Array | Uint32Array;

/**
 * Runs the invocations from `from` up to, not including, `to`. In a kernel with a workgroup they are whole workgroups.
 * Subgroups have 32 lanes unless `subgroupSize` says otherwise.
 */
export type KernelFunction = (arrays: readonly KernelArray[], from: number, to: number, subgroupSize?: number) => void;

export interface JavaScriptOptions {
  /**
   * Watch every element that the kernel stores, and throw an InvariantError that names the array, the element and the
   * two lanes, or workgroups, that use it with no barrier between. Ten times slower.
   */
  readonly checksRaces?: boolean;
}

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
  runLockStep,
  Races,
} as const;

const FUNCTION_NAMES = Object.keys(FUNCTIONS).join(", ");

/** The source of an arrow function of type KernelFunction; it wants the functions in scope that `compileJavaScript` gives. */
export function printJavaScript(kernel: Kernel, options: JavaScriptOptions = {}): string {
  const target = new JavaScriptTarget(kernel, options.checksRaces === true);
  const body = printBody(kernel, target).join("\n");
  const arrays = target.arrays().map((line) => `  ${line}\n`);
  return `(arrays, from, to, subgroup_size = 32) => {\n${arrays.join("")}${body}\n}`;
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

const ARRAY_TYPES = { f32: "Float32Array", f16: "Uint16Array", i32: "Int32Array", u32: "Uint32Array" } as const;

function newArray({ type, length }: { type: keyof typeof ARRAY_TYPES; length: number }): string {
  return `new ${ARRAY_TYPES[type]}(${length})`;
}

class JavaScriptTarget implements Target {
  readonly #kernel: Kernel;
  readonly #checksRaces: boolean;
  readonly #isLockStep: boolean;
  /** By value id: true where the number is an f32 already. */
  readonly #exact = new Map<number, boolean>();
  readonly #private: ArrayPlace[] = [];
  readonly #sites: LockStepSite[] = [];

  constructor(kernel: Kernel, checksRaces: boolean) {
    this.#kernel = kernel;
    this.#checksRaces = checksRaces;
    this.#isLockStep = isLockStep(kernel);
  }

  /** The lines that give the arrays their names. */
  arrays(): string[] {
    const { bindings, workgroup } = this.#kernel;
    const watch = (array: string, words: string, use: string): string =>
      this.#checksRaces ? `races.watch(${array}, "${words}", "${use}")` : array;
    const lines = bindings.map(({ access }, i) => {
      const array = `arrays[${i}]`;
      return `const b${i} = ${access === "read" ? array : watch(array, `binding ${i}`, access)};`;
    });
    for (const [i, array] of (workgroup?.shared ?? []).entries()) {
      lines.push(`const s${i} = ${watch(newArray(array), `shared array ${i}`, "shared")};`);
    }
    return this.#checksRaces ? [`const races = new Races(${lanesOf(this.#kernel)});`, ...lines] : lines;
  }

  openEach(builtIns: ReadonlySet<BuiltInName>): readonly string[] {
    const lanes = lanesOf(this.#kernel);
    const isWatched = this.#checksRaces;
    const subgroupLane = builtIns.has("subgroupLane") ? ["  const subgroup_lane = lane % subgroup_size;"] : [];
    if (this.#isLockStep) {
      return [
        `const values = new Array(${lanes}).fill(0);`,
        "function* run(workgroup, lane) {",
        ...(builtIns.has("invocation") || isWatched ? [`  const invocation = workgroup * ${lanes} + lane;`] : []),
        ...subgroupLane,
      ];
    }
    const begin = this.#beginWorkgroup();
    const wantsLane = builtIns.has("lane") || subgroupLane.length > 0 || begin.length > 0;
    return [
      ...this.#private.map((array) => `const ${array.name} = ${newArray(array)};`),
      "for (let invocation = from; invocation < to; invocation++) {",
      ...(builtIns.has("workgroup") || isWatched ? [`  const workgroup = (invocation / ${lanes}) | 0;`] : []),
      ...(wantsLane ? [`  const lane = invocation % ${lanes};`] : []),
      ...(begin.length > 0 ? [`  if (lane === 0) { ${begin.join(" ")} }`] : []),
      ...subgroupLane,
    ];
  }

  closeEach(): readonly string[] {
    if (!this.#isLockStep) return ["}"];
    const lanes = lanesOf(this.#kernel);
    const races = this.#checksRaces ? ", races" : "";
    return [
      "}",
      `const sites = ${JSON.stringify(this.#sites)};`,
      `for (let workgroup = from / ${lanes}; workgroup < to / ${lanes}; workgroup++) {`,
      ...this.#beginWorkgroup().map((text) => `  ${text}`),
      `  runLockStep(run, workgroup, sites, values, subgroup_size${races});`,
      "}",
    ];
  }

  #beginWorkgroup(): string[] {
    const clear = (this.#kernel.workgroup?.shared ?? []).map((_, i) => `s${i}.fill(0);`);
    return this.#checksRaces ? ["races.begin(workgroup);", ...clear] : clear;
  }

  define(name: string, _type: ScalarType, text: string, isMutable: boolean): string {
    return `${isMutable ? "let" : "const"} ${name} = ${text};`;
  }

  assign(name: string, text: string): string {
    return `${name} = ${text};`;
  }

  store(array: ArrayPlace, index: string, [text = ""]: readonly string[]): string {
    const value = array.type === "f16" ? `bitsOfF16(${text})` : text;
    return this.#isWatched(array)
      ? `${array.name}.store(${index}, ${value}, invocation);`
      : `${array.name}[${index}] = ${value};`;
  }

  declare(array: ArrayPlace): string {
    if (this.#isLockStep) return `const ${array.name} = ${newArray(array)};`;
    this.#private.push(array);
    return `${array.name}.fill(0);`;
  }

  barrier(): readonly string[] {
    this.#sites.push({ kind: "barrier" });
    return [`yield ${this.#sites.length - 1};`];
  }

  subgroup({ op, value, mask, lane }: Line & { kind: "subgroup" }, name: string, text: string): string {
    const { type } = value.expr;
    this.#sites.push({ kind: "subgroup", op, type, mask, lane });
    return `const ${name} = (values[lane] = ${text}, yield ${this.#sites.length - 1});`;
  }

  #isWatched({ space, access }: ArrayPlace): boolean {
    return this.#checksRaces && space !== "private" && access !== "read";
  }

  openFor(name: string, from: string, to: string): string {
    return `for (let ${name} = ${from}; ${name} < ${to}; ${name}++) {`;
  }

  openIf(condition: string): string {
    return `if (${condition}) {`;
  }

  inside(index: string, indexType: ScalarType, array: ArrayPlace): string {
    const below = `${index} < ${array.length}`;
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
        return binary(expr.op, expr.a.type, a, b, value.operands[1]?.range);
      case "select":
        return `(${a} ? ${b} : ${c})`;
      case "cast":
        return cast(expr.type, expr.x.type, a);
      case "bitcast":
        return bitcast(expr.type, expr.x.type, a);
      case "load":
      case "loadShared":
      case "loadPrivate":
        return this.#load(value, a);
    }
  }

  #load({ array, operands }: Value, index: string): string {
    const [place] = operands;
    assert(array !== undefined && place !== undefined, `print ${this.#kernel.name}: expected a load from an array`);
    const inside = isInside(place, array) ? index : `clamp(${index}, ${array.length - 1})`;
    const element = this.#isWatched(array) ? `${array.name}.load(${inside}, invocation)` : `${array.name}[${inside}]`;
    return array.type === "f16" ? `f16Of(${element})` : element;
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
      case "loadShared":
      case "loadPrivate":
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
