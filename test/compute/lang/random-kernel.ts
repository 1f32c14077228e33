/** Seeded random kernels over every operator, type and statement of the kernel language. */
import type { Random } from "../../../src/base/random.ts";
import * as build from "../../../src/compute/lang/build.ts";
import { constant, variable } from "../../../src/compute/lang/expr.ts";
import type { BinaryOp, Expr, Kernel, ScalarType, Statement, UnaryOp } from "../../../src/compute/lang/kernel.ts";
import { store } from "../../../src/compute/lang/statements.ts";

/** Elements of each binding. */
export const LENGTH = 96;
const TYPES = ["f32", "i32", "u32"] as const;

/** 0 to 2 are read, one of each type, and 3 to 5 are read and written. */
export const BINDINGS: Kernel["bindings"] = [
  ...TYPES.map((type) => ({ type, access: "read" as const, length: LENGTH })),
  ...TYPES.map((type) => ({ type, access: "readWrite" as const, length: LENGTH })),
];

/** Bindings: 0 to 2 are read, one of each type; 3 to 5 are read and written at the invocation's own place. */
export function randomKernel(random: Random): Kernel {
  const maker = new Maker(random);
  const body = maker.block(2 + random.below(4), 0);
  for (const [i, type] of TYPES.entries()) body.push(store(3 + i, AT, maker.expr(type, 4)));
  return {
    name: "random",
    bindings: BINDINGS,
    invocations: LENGTH - random.below(20),
    body,
  };
}

/** Inputs for them: small, large, special. */
export function randomArrays(random: Random): (Float32Array | Int32Array | Uint32Array)[] {
  const integer = (): number => {
    const word = random.uint32();
    return random.pick([word, word >>> 20, word % 7, 0, 1, 0xffffffff, 0x80000000, 0x7fffffff]);
  };
  const float = (): number =>
    random.pick([random.normal(), random.normal() * 50, random.below(9) - 4, 0, 0.5, 2.5, 1e-3, 12345.678, 3e9, -7.25]);
  const floats = (): Float32Array => Float32Array.from({ length: LENGTH }, float);
  const ints = (): Int32Array => Int32Array.from({ length: LENGTH }, integer);
  const words = (): Uint32Array => Uint32Array.from({ length: LENGTH }, integer);
  return [floats(), ints(), words(), floats(), ints(), words()];
}

const AT = variable("i32", "invocation");

const FLOAT_UNARY: readonly UnaryOp[] = [
  "negate", "abs", "sign", "floor", "ceil", "round", "trunc", "exp", "log", "sqrt", "sin", "cos", "tanh", "erf",
]; // prettier-ignore
const INTEGER_UNARY: readonly UnaryOp[] = ["negate", "not", "abs", "sign"];
const FLOAT_BINARY: readonly BinaryOp[] = [
  "add", "subtract", "multiply", "divide", "remainder", "power", "minimum", "maximum",
]; // prettier-ignore
const INTEGER_BINARY: readonly BinaryOp[] = [
  ...FLOAT_BINARY, "and", "or", "xor", "shiftLeft", "shiftRight",
]; // prettier-ignore
const LOGIC: readonly BinaryOp[] = ["and", "or", "xor", "equal", "notEqual"];
const COMPARE: readonly BinaryOp[] = ["less", "lessEqual", "equal", "notEqual"];

/** What a kernel may use besides its bindings and its own names. */
export interface MakerExtras {
  /** Built-in variables. */
  readonly variables: readonly Expr[];
  /** Something else to start from, or undefined. */
  leaf(type: ScalarType): Expr | undefined;
  /** Something else to do, or undefined. */
  statement(): Statement[] | undefined;
  /** Whether binding 3 + `at` belongs to each invocation alone for now. */
  isOwn(at: number): boolean;
}

const NO_EXTRAS: MakerExtras = { variables: [], leaf: () => undefined, statement: () => undefined, isOwn: () => true };

export class Maker {
  readonly #random: Random;
  readonly #extras: MakerExtras;
  /** Expressions in scope, to be shared. */
  #pool: Expr[];
  #mutable: { name: string; type: ScalarType }[] = [];
  #names = 0;

  constructor(random: Random, extras: MakerExtras = NO_EXTRAS) {
    this.#random = random;
    this.#extras = extras;
    this.#pool = [AT, ...extras.variables];
  }

  fresh(): string {
    return `name${this.#names++}`;
  }

  /** From here on, `x` may be used. */
  add(x: Expr): void {
    this.#pool.push(x);
  }

  /** Forgets what may have been loaded: names alone stay. */
  forget(): void {
    this.#pool = this.#pool.filter(({ kind }) => kind === "variable");
  }

  /** Statements of which nothing is known outside. */
  scoped(make: () => Statement[]): Statement[] {
    const [pool, mutable] = [[...this.#pool], [...this.#mutable]];
    const out = make();
    [this.#pool, this.#mutable] = [pool, mutable];
    return out;
  }

  block(count: number, depth: number): Statement[] {
    const make = (): Statement[] => Array.from({ length: count }, () => this.#statement(depth)).flat();
    return depth > 0 ? this.scoped(make) : make();
  }

  #statement(depth: number): Statement[] {
    const random = this.#random;
    const kind = random.pick(["let", "var", "assign", "assign", "store", ...(depth < 2 ? ["for", "if"] : [])]);
    const extra = random.below(3) === 0 ? this.#extras.statement() : undefined;
    if (extra !== undefined) return extra;
    const name = this.fresh();
    const type = random.pick<ScalarType>([...TYPES, "f32", "bool"]);
    switch (kind) {
      case "let": {
        const value = this.expr(type, 4);
        this.#pool.push(variable(type, name));
        return [{ kind: "let", name, value }];
      }
      case "var": {
        const value = this.expr(type, 3);
        this.#mutable.push({ name, type });
        return [{ kind: "var", name, value }];
      }
      case "assign": {
        const target = this.#mutable.at(random.below(this.#mutable.length || 1));
        if (target === undefined) return [];
        return [{ kind: "assign", name: target.name, value: this.expr(target.type, 4) }];
      }
      case "for": {
        const from = random.below(5) - 2;
        const counter = variable("i32", name);
        this.#pool.push(counter);
        const body = this.block(1 + random.below(3), depth + 1);
        this.#pool = this.#pool.filter((x) => x !== counter);
        return [{ kind: "for", name, from: build.i32(from), to: build.i32(from + random.below(4)), body }];
      }
      case "if":
        return [{ kind: "if", condition: this.expr("bool", 2), body: this.block(1 + random.below(3), depth + 1) }];
      default: {
        const at = random.below(3);
        if (!this.#extras.isOwn(at)) return [];
        // Its own place, or outside.
        const index = random.pick([AT, AT, AT, build.i32(-1), build.i32(LENGTH)]);
        return [{ kind: "store", binding: 3 + at, index, value: this.expr(TYPES[at] ?? "f32", 4) }];
      }
    }
  }

  expr(type: ScalarType, depth: number): Expr {
    const random = this.#random;
    const shared = this.#pool.filter((x) => x.type === type);
    if (shared.length > 0 && random.below(4) === 0) return random.pick(shared);
    const out = depth === 0 ? this.#leaf(type) : this.#operation(type, depth - 1);
    // Only names that live in the outermost block may be shared beyond this statement; an expression is kept if small.
    if (depth > 1 && random.below(4) === 0) this.#pool.push(out);
    return out;
  }

  #leaf(type: ScalarType): Expr {
    const random = this.#random;
    const variables = this.#mutable.filter((x) => x.type === type);
    if (variables.length > 0 && random.below(2) === 0) return variable(type, random.pick(variables).name);
    const extra = random.below(2) === 0 ? this.#extras.leaf(type) : undefined;
    if (extra !== undefined) return extra;
    if (type === "bool") return build.bool(random.below(2) === 0);
    if (random.below(2) === 0) return this.#load(type, AT);
    if (type === "f32") return build.f32(random.pick([0, 1, -1, 0.5, 2, 3, -2.75, 0.1, 1e5, 1e-4, Math.PI]));
    return constant(type, random.pick([0, 1, 2, 3, 7, 31, 32, 64, 0x7fffffff, type === "i32" ? -5 : 0xfffffff0]));
  }

  #load(type: "f32" | "i32" | "u32", index: Expr): Expr {
    const at = TYPES.indexOf(type);
    // What others write is read at one's own place only.
    const isWritten = index === AT && this.#random.below(3) === 0 && this.#extras.isOwn(at);
    return build.load(isWritten ? 3 + at : at, index, type);
  }

  #operation(type: ScalarType, depth: number): Expr {
    const random = this.#random;
    const isPlain = random.below(2) === 0;
    const unary = (op: UnaryOp, x: Expr): Expr => (isPlain ? { kind: "unary", type, op, x } : build.unary(op, x));
    const binary = (op: BinaryOp, a: Expr, b: Expr): Expr =>
      isPlain ? { kind: "binary", type, op, a, b } : build.binary(op, a, b);
    const kind = random.below(10);
    if (kind === 0) {
      return build.select(this.expr("bool", depth), this.expr(type, depth), this.expr(type, depth));
    }
    if (type === "bool") {
      if (kind === 1) return unary("not", this.expr("bool", depth));
      if (kind === 2) return build.cast("bool", this.expr(random.pick([...TYPES]), depth));
      if (kind < 5) return binary(random.pick(LOGIC), this.expr("bool", depth), this.expr("bool", depth));
      const from = random.pick([...TYPES]);
      return binary(random.pick(COMPARE), this.expr(from, depth), this.expr(from, depth));
    }
    if (kind === 1) return build.cast(type, this.expr(random.pick([...TYPES, "bool"]), depth));
    if (kind === 2) return build.bitcast(type, this.expr(random.pick([...TYPES]), depth));
    if (kind === 3) return this.#load(type, this.expr(random.pick(["i32", "u32"]), depth));
    if (type === "f32") {
      if (kind < 6) return unary(random.pick(FLOAT_UNARY), this.expr(type, depth));
      return binary(random.pick(FLOAT_BINARY), this.expr(type, depth), this.expr(type, depth));
    }
    if (kind === 4) return unary(random.pick(INTEGER_UNARY), this.expr(type, depth));
    if (kind === 5 && type === "u32") return binary("multiplyHigh", this.expr(type, depth), this.expr(type, depth));
    return binary(random.pick(INTEGER_BINARY), this.expr(type, depth), this.expr(type, depth));
  }
}
