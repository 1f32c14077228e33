/**
 * A computation as nested loops over arrays: what schedules transform, and `lowerNest` makes a kernel of.
 *
 * Loops count from 0 to an extent that is a TypeScript number. Statements store one element, or accumulate into one:
 * `out[i] = out[i] op x`. They run in the order written, as if on one thread; every transformation keeps that result.
 * Indices that are affine in the counters (`affine.ts`) can be reasoned about; of any other it is assumed that it may
 * touch every element.
 *
 * ```ts
 * // out[i, j] = sum over k of a[i, k] * b[k, j]
 * const naive = loopNest("product", (nest) => {
 *   const a = nest.array("a", "f32", [64, 32]);
 *   const b = nest.array("b", "f32", [32, 48]);
 *   const out = nest.array("out", "f32", [64, 48]);
 *   nest.for("i", 64, (i) =>
 *     nest.for("j", 48, (j) => {
 *       nest.store(out, [i, j], f32(0));
 *       nest.for("k", 32, (k) => nest.accumulate("add", out, [i, j], multiply(a.at(i, k), b.at(k, j))));
 *     }),
 *   );
 * });
 * const tiled = reorder(split(naive, "j", 16), ...);
 * const kernel = lowerNest(parallelize(tiled, "i", "workgroups"));
 * ```
 */
import { OptionError } from "../../../base/errors.ts";
import { BUILT_INS } from "../built-ins.ts";
import { add, i32, load, multiply } from "../build.ts";
import { variable } from "../expr.ts";
import { valueTypeOf, type Expr, type StoredType } from "../kernel.ts";
import { checkInside } from "./inside.ts";

/** An array of a nest. Bindings come first, in the order of the kernel's; what the lanes or an invocation share follows. */
export interface NestArray {
  readonly name: string;
  readonly type: StoredType;
  /** Elements. */
  readonly length: number;
  readonly space: "binding" | "shared" | "private";
}

/**
 * One after the other; written out; written out statement by statement, so that loads and stores of neighbours stand
 * together; a workgroup each; a lane of a workgroup each.
 */
export type LoopRun = "serial" | "unrolled" | "vector" | "workgroups" | "lanes";

export interface Loop {
  readonly kind: "loop";
  /** Unique in the nest; the counter is the i32 variable of this name. */
  readonly name: string;
  readonly extent: number;
  readonly run: LoopRun;
  readonly body: readonly Step[];
}

/** at < below, of an affine expression. */
export interface Guard {
  readonly at: Expr;
  readonly below: number;
}

/**
 * array[index] = value, or array[index] = array[index] op value. Loads of array number n are `load` expressions of
 * binding n, whatever its space. Nothing happens unless all guards hold.
 */
export interface Assign {
  readonly kind: "assign";
  readonly array: number;
  readonly index: Expr;
  readonly value: Expr;
  readonly update: Update | undefined;
  readonly guards: readonly Guard[];
}

export interface Update {
  readonly op: "add" | "multiply" | "minimum" | "maximum";
  /** Whether the result may depend on the order in which elements come in: only that of f32 sums and products does. */
  readonly order: "asWritten" | "any";
}

/**
 * A tile copied into a shared array by all lanes together, between barriers:
 * shared[t] = from[base + the sum of stride * coordinate], t the row-major number of the coordinates.
 */
export interface Fill {
  readonly kind: "fill";
  readonly array: number;
  readonly from: number;
  readonly base: Expr;
  /** Outermost first. */
  readonly axes: readonly { readonly extent: number; readonly stride: number }[];
}

export type Step = Loop | Assign | Fill;

export interface LoopNest {
  /** For people: the kernel's name. */
  readonly name: string;
  readonly arrays: readonly NestArray[];
  readonly body: readonly Step[];
}

/** Elements of arrays are named by one expression an axis, or by their row-major number alone. */
type Index = readonly (Expr | number)[];

/** An array while a nest is written down. */
export class NestArrayUse {
  readonly number: number;
  readonly array: NestArray;
  readonly shape: readonly number[];

  constructor(number: number, array: NestArray, shape: readonly number[]) {
    this.number = number;
    this.array = array;
    this.shape = shape;
  }

  /** The element at an index, loaded. */
  at(...index: Index): Expr {
    return load(this.number, this.place(index), valueTypeOf(this.array.type));
  }

  /** The row-major number of the element at an index. */
  place(index: Index): Expr {
    const { shape } = this;
    const exprs = index.map((at) => (typeof at === "number" ? i32(at) : at));
    const [first] = exprs;
    if (exprs.length === 1 && first !== undefined) return first;
    if (exprs.length !== shape.length) {
      throw new OptionError(`${this.array.name}: expected an index of ${shape.length} axes, found ${exprs.length}`);
    }
    return exprs.reduce((flat, at, axis) => add(multiply(flat, i32(shape[axis] ?? 1)), at), i32(0));
  }
}

/** Writes a nest down, in the order of its execution. */
export class NestBuilder {
  readonly arrays: NestArray[] = [];
  readonly #extents = new Map<string, number>();
  #steps: Step[] = [];

  get steps(): readonly Step[] {
    return this.#steps;
  }

  array(name: string, type: StoredType, shape: readonly number[]): NestArrayUse {
    checkName("array", name, (taken) => this.arrays.some((array) => array.name === taken));
    const length = shape.reduce((product, size) => product * size, 1);
    if (!Number.isInteger(length) || length < 1 || length >= 2 ** 31) {
      throw new OptionError(`array ${name}: expected 1 to 2^31 - 1 elements, found shape [${shape.join(", ")}]`);
    }
    const array: NestArray = { name, type, length, space: "binding" };
    this.arrays.push(array);
    return new NestArrayUse(this.arrays.length - 1, array, shape);
  }

  /** for (name = 0; name < extent; name++) body(name) */
  for(name: string, extent: number, body: (counter: Expr) => void): void {
    checkName("loop", name, (taken) => this.#extents.has(taken));
    if (!Number.isInteger(extent) || extent < 1) {
      throw new OptionError(`loop ${name}: expected an extent of at least 1, found ${extent}`);
    }
    this.#extents.set(name, extent);
    const outside = this.#steps;
    this.#steps = [];
    body(counterOf(name, extent));
    const inside = this.#steps;
    this.#steps = outside;
    this.#steps.push({ kind: "loop", name, extent, run: "serial", body: inside });
  }

  /** array[index] = value */
  store(array: NestArrayUse, index: Index, value: Expr): void {
    this.#assign(array, index, value, undefined);
  }

  /** array[index] = array[index] op value. Floats are summed in the order written, unless any `order` will do. */
  accumulate(
    op: Update["op"],
    array: NestArrayUse,
    index: Index,
    value: Expr,
    order: Update["order"] = "asWritten",
  ): void {
    // Every sum on the way would have to be rounded, and the value is not the sum.
    if (array.array.type === "f16") throw new OptionError(`accumulate ${array.array.name}: expected f32, found f16`);
    this.#assign(array, index, value, { op, order });
  }

  #assign(use: NestArrayUse, at: Index, value: Expr, update: Update | undefined): void {
    const { name, type } = use.array;
    if (value.type !== valueTypeOf(type)) {
      throw new OptionError(`store ${name}: expected a value for ${type}, found ${value.type}`);
    }
    const index = use.place(at);
    if (index.type !== "i32") throw new OptionError(`store ${name}: expected an i32 index, found ${index.type}`);
    const assign: Assign = { kind: "assign", array: use.number, index, value, update, guards: [] };
    checkInside(assign, this.arrays, this.#extents);
    this.#steps.push(assign);
  }
}

/**
 * A nest, written down by `build`.
 *
 * @throws OptionError for names that are taken, types that do not fit, affine indices that may leave their array
 */
export function loopNest(name: string, build: (nest: NestBuilder) => void): LoopNest {
  const builder = new NestBuilder();
  build(builder);
  return { name, arrays: builder.arrays, body: builder.steps };
}

/** The counter of a loop, with its bounds. */
export function counterOf(name: string, extent: number): Expr {
  return variable("i32", name, { min: 0, max: extent - 1 });
}

/**
 * @throws OptionError for a name that is taken, or no word. Names that transformations make have an underscore, so that
 * these stay free of them.
 */
export function checkName(what: string, name: string, isTaken: (name: string) => boolean): void {
  const isFree = !isTaken(name) && !BUILT_INS.some((builtIn) => builtIn === name);
  if (/^[A-Za-z][A-Za-z0-9]*$/.test(name) && isFree) return;
  throw new OptionError(`${what} ${name}: expected a free name of letters and digits, found ${JSON.stringify(name)}`);
}
