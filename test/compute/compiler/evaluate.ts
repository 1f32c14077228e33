/**
 * What a graph means, in the plainest way: every node as an array of doubles, by loops over indices. Shares no code
 * with the compiler; its rounding is better than any device's.
 */
import { InvariantError } from "../../../src/base/errors.ts";
import { roundToFloat16 } from "../../../src/base/float16.ts";
import { exponentialOf, normalOf, philox } from "../../../src/base/random.ts";
import { attentionInLoops } from "../attention-loops.ts";
import type { BinaryFunction, Node, Shape, UnaryFunction } from "../../../src/compute/compiler/ir.ts";

/** How values are held between nodes. */
export interface EvaluateOptions {
  /** Rounds the floats of every node to float32: two graphs that round alike then agree to the bit. */
  readonly isRounded?: boolean;
}

/** The elements of each of `nodes`, row-major; bools are 0 and 1. `leaves` holds those of every leaf. */
export function evaluateAll(
  nodes: readonly Node[],
  leaves: ReadonlyMap<Node, readonly number[]>,
  { isRounded = false }: EvaluateOptions = {},
): number[][] {
  const evaluation = new Evaluation(leaves, isRounded);
  // Inputs first: graphs may be deeper than the stack.
  return nodes.map((node) => {
    const pending = [node];
    for (let top = pending.at(-1); top !== undefined; top = pending.at(-1)) {
      const missing = top.inputs.filter((input) => !evaluation.knows(input));
      if (missing.length === 0) evaluation.values((pending.pop(), top));
      else pending.push(...missing);
    }
    return evaluation.values(node);
  });
}

/** All indices into `shape`, in row-major order. */
function indicesOf(shape: Shape): number[][] {
  let all: number[][] = [[]];
  for (const size of shape) all = all.flatMap((index) => Array.from({ length: size }, (_, i) => [...index, i]));
  return all;
}

function placeOf(index: readonly number[], shape: Shape): number {
  return index.reduce((place, at, axis) => place * (shape[axis] ?? 1) + at, 0);
}

class Evaluation {
  readonly #leaves: ReadonlyMap<Node, readonly number[]>;
  readonly #isRounded: boolean;
  readonly #known = new Map<Node, number[]>();

  constructor(leaves: ReadonlyMap<Node, readonly number[]>, isRounded: boolean) {
    this.#leaves = leaves;
    this.#isRounded = isRounded;
  }

  knows(node: Node): boolean {
    return this.#known.has(node);
  }

  values(node: Node): number[] {
    let values = this.#known.get(node);
    if (values === undefined) {
      values = this.#compute(node);
      if (node.dtype === "float16") values = values.map(roundToFloat16);
      else if (node.dtype === "float32" && this.#isRounded) values = values.map(Math.fround);
      this.#known.set(node, values);
    }
    return values;
  }

  #input(node: Node, i: number): { shape: Shape; at: (index: readonly number[]) => number; values: number[] } {
    const input = node.inputs[i];
    if (input === undefined) throw new InvariantError(`evaluate: expected input ${i} of ${node.primitive.kind}`);
    const values = this.values(input);
    return { shape: input.shape, values, at: (index) => values[placeOf(index, input.shape)] ?? Number.NaN };
  }

  #compute(node: Node): number[] {
    const { primitive, shape, dtype } = node;
    const all = indicesOf(shape);
    switch (primitive.kind) {
      case "buffer":
        return [...(this.#leaves.get(node) ?? [])];
      case "constant":
        return all.map(() => primitive.value);
      case "iota":
        return all.map((index) => index[primitive.axis] ?? 0);
      case "random": {
        const [k0 = 0, k1 = 0] = this.#input(node, 0).values;
        return all.map((_, i) => {
          const [first, second] = philox([i, 0, 0, 0], [k0, k1]);
          if (primitive.distribution === "bits") return first;
          return primitive.distribution === "normal" ? normalOf(first, second) : exponentialOf(first);
        });
      }
      case "unary":
        return this.#input(node, 0).values.map((x) => fit(unary(primitive.fn, x), dtype));
      case "binary": {
        const b = this.#input(node, 1).values;
        return this.#input(node, 0).values.map((x, i) => fit(binary(primitive.fn, x, b[i] ?? 0, dtype), dtype));
      }
      case "select": {
        const [yes, no] = [this.#input(node, 1).values, this.#input(node, 2).values];
        return this.#input(node, 0).values.map((x, i) => (x !== 0 ? yes[i] : no[i]) ?? 0);
      }
      case "cast":
        return this.#input(node, 0).values.map((x) => converted(x, node.inputs[0]?.dtype ?? dtype, dtype));
      case "bitcast":
        return bitsAs(this.#input(node, 0).values, node.inputs[0]?.dtype ?? dtype, dtype);
      case "barrier":
      case "reshape":
        return [...this.#input(node, 0).values];
      case "permute": {
        const x = this.#input(node, 0);
        return all.map((index) => x.at(x.shape.map((_, axis) => index[primitive.order.indexOf(axis)] ?? 0)));
      }
      case "expand": {
        const x = this.#input(node, 0);
        return all.map((index) => x.at(index.map((at, axis) => (x.shape[axis] === 1 ? 0 : at))));
      }
      case "slice": {
        const { starts, steps } = primitive;
        const x = this.#input(node, 0);
        return all.map((index) => x.at(index.map((at, axis) => (starts[axis] ?? 0) + at * (steps[axis] ?? 1))));
      }
      case "window": {
        const { axis, stride, dilation } = primitive;
        const x = this.#input(node, 0);
        return all.map((index) => {
          const inWindow = index.at(-1) ?? 0;
          return x.at(index.slice(0, -1).map((at, i) => (i === axis ? at * stride + inWindow * dilation : at)));
        });
      }
      case "pad": {
        const x = this.#input(node, 0);
        const out = all.map(() => primitive.value);
        for (const index of indicesOf(x.shape)) {
          const to = index.map((at, axis) => (primitive.low[axis] ?? 0) + at * ((primitive.interior[axis] ?? 0) + 1));
          if (to.every((at, axis) => at >= 0 && at < (shape[axis] ?? 0))) out[placeOf(to, shape)] = x.at(index);
        }
        return out;
      }
      case "reduce": {
        const x = this.#input(node, 0);
        const out = all.map(() => identity(primitive.fn));
        for (const index of indicesOf(x.shape)) {
          const place = placeOf(index.map((at, axis) => (primitive.axes.includes(axis) ? 0 : at)), shape); // prettier-ignore
          out[place] = fit(combine(primitive.fn, out[place] ?? 0, x.at(index)), dtype);
        }
        return out;
      }
      case "scan": {
        const x = this.#input(node, 0);
        const out: number[] = [];
        for (const index of all) {
          const i = index[primitive.axis] ?? 0;
          const before =
            i === 0 ? identity(primitive.fn) : (out[placeOf(index.with(primitive.axis, i - 1), shape)] ?? 0);
          out.push(fit(combine(primitive.fn, before, x.at(index)), dtype));
        }
        return out;
      }
      case "gather": {
        const x = this.#input(node, 0);
        const picks = this.#input(node, 1);
        const last = (x.shape[primitive.axis] ?? 1) - 1;
        return all.map((index) => x.at(index.with(primitive.axis, Math.min(Math.max(picks.at(index), 0), last))));
      }
      case "scatterAdd": {
        const x = this.#input(node, 0);
        const targets = this.#input(node, 1);
        const out = all.map(() => 0);
        for (const index of indicesOf(x.shape)) {
          const target = targets.at(index);
          if (target < 0 || target >= (shape[primitive.axis] ?? 0)) continue;
          const place = placeOf(index.with(primitive.axis, target), shape);
          out[place] = fit((out[place] ?? 0) + x.at(index), dtype);
        }
        return out;
      }
      case "attention":
        return attentionInLoops(node, (i, index) => this.#input(node, i).at(index));
      case "contraction": {
        const [a, b] = [this.#input(node, 0), this.#input(node, 1)];
        return all.map(([batch = 0, row = 0, column = 0]) => {
          let sum = 0;
          for (let k = 0; k < (a.shape[2] ?? 0); k++) sum += a.at([batch, row, k]) * b.at([batch, k, column]);
          return sum;
        });
      }
    }
  }
}

function identity(fn: "sum" | "product" | "maximum" | "minimum"): number {
  return { sum: 0, product: 1, maximum: -Infinity, minimum: Infinity }[fn];
}

function combine(fn: "sum" | "product" | "maximum" | "minimum", a: number, b: number): number {
  if (fn === "sum") return a + b;
  if (fn === "product") return a * b;
  return fn === "maximum" ? Math.max(a, b) : Math.min(a, b);
}

/** Floats saturate on their way to integers: at the largest float32 in range. */
function converted(x: number, from: Node["dtype"], to: Node["dtype"]): number {
  if (to === "bool") return Number(x !== 0);
  if (to === "float32" || to === "float16") return x;
  if (from !== "float32" && from !== "float16") return fit(x, to);
  const [low, high] = to === "int32" ? [-(2 ** 31), 2 ** 31 - 128] : [0, 2 ** 32 - 256];
  return Number.isNaN(x) ? 0 : Math.min(Math.max(Math.trunc(x), low), high) + 0;
}

/** Integers wrap around. */
function fit(x: number, dtype: Node["dtype"]): number {
  if (dtype === "int32") return Number(BigInt.asIntN(32, BigInt(x)));
  return dtype === "uint32" ? Number(BigInt.asUintN(32, BigInt(x))) : x;
}

/** The same 32 bits each. */
function bitsAs(values: readonly number[], from: Node["dtype"], to: Node["dtype"]): number[] {
  const types = { int32: Int32Array, uint32: Uint32Array };
  const typed = from === "int32" || from === "uint32" ? types[from].from(values) : Float32Array.from(values);
  return [...new (to === "int32" || to === "uint32" ? types[to] : Float32Array)(typed.buffer)];
}

function unary(fn: UnaryFunction, x: number): number {
  switch (fn) {
    case "negate":
      return -x;
    case "not":
      return Number(x === 0);
    case "round": {
      const low = Math.floor(x);
      return x - low === 0.5 ? low + (low % 2 === 0 ? 0 : 1) : Math.round(x);
    }
    case "erf":
      return erf(x);
    default:
      return Math[fn](x);
  }
}

/** 2 / sqrt(pi) times the integral of exp(-t^2) from 0 to x, by Simpson's rule. */
function erf(x: number): number {
  const steps = 400;
  const width = x / steps;
  let sum = 1 + Math.exp(-x * x);
  for (let i = 1; i < steps; i++) sum += (i % 2 === 1 ? 4 : 2) * Math.exp(-((i * width) ** 2));
  return ((2 / Math.sqrt(Math.PI)) * sum * width) / 3;
}

/** a^b modulo 2^32; for b below 0 what 1 / a^-b truncates to. */
function integerPower(a: number, b: number): number {
  if (b >= 0) return Number(BigInt(a) ** BigInt(b) % 2n ** 32n);
  return a === 1 ? 1 : a === -1 ? (b % 2 === 0 ? 1 : -1) : 0;
}

function binary(fn: BinaryFunction, a: number, b: number, dtype: Node["dtype"]): number {
  switch (fn) {
    case "add":
      return a + b;
    case "subtract":
      return a - b;
    case "multiply":
      return dtype === "float32" ? a * b : Math.imul(a, b);
    case "divide":
      return dtype === "float32" ? a / b : b === 0 ? a : Math.trunc(a / b);
    case "remainder":
      return dtype !== "float32" && b === 0 ? 0 : a % b;
    case "power":
      return dtype === "float32" ? a ** b : integerPower(a, b);
    case "minimum":
      return Math.min(a, b);
    case "maximum":
      return Math.max(a, b);
    case "less":
      return Number(a < b);
    case "lessEqual":
      return Number(a <= b);
    case "equal":
      return Number(a === b);
    case "notEqual":
      return Number(a !== b);
    case "and":
      return a & b;
    case "or":
      return a | b;
  }
}
