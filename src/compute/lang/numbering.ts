/**
 * Value numbering: a kernel's expressions, each distinct one once, and its statements over those values.
 *
 * The first half of printing (`placing.ts` is the second). Values are *stable*, the same wherever their names are
 * known, or *volatile*: they read a `var` or an array that the kernel writes, and hold for one statement only. A `let` of
 * a stable value is that value, under another name. Also checks the kernel: names, types, bindings.
 */
import { assert } from "../../base/assert.ts";
import { inferInterval, wholeInterval, type Interval } from "./interval.ts";
import { valueTypeOf, type Binding, type Expr, type Kernel, type ScalarType, type Statement } from "./kernel.ts";
import { foldBinary, foldBitcast, foldCast, foldUnary } from "./scalar-functions.ts";
import { operandsOf, visitOperandsFirst } from "./walk.ts";

/** A block of statements. Its `parentIndex` is the place of the statement that holds it. */
export interface Scope {
  readonly parent: Scope | undefined;
  readonly parentIndex: number;
  readonly depth: number;
  /** What is computed here may be computed before: it runs any number of times, not only under a condition. */
  readonly isLoop: boolean;
}

/** A statement's place. */
export interface Site {
  readonly scope: Scope;
  readonly index: number;
}

/** A distinct expression. Operands have lower ids. */
export interface Value {
  readonly id: number;
  /** One expression of this value: for its kind, type and operator. */
  readonly expr: Expr;
  readonly operands: readonly Value[];
  readonly range: Interval;
  readonly isVolatile: boolean;
  /** The outermost scope where it can be computed. */
  readonly home: Scope;
  /** Where statements use it. */
  readonly uses: Site[];
  /** Where a `let` names it: it is computed there or further out, not under a later condition. */
  readonly pins: Site[];
  /** Must be a name when printed, since its text appears more than once. */
  isNamed: boolean;
}

export type Line =
  | { readonly kind: "define"; readonly name: string; readonly value: Value; readonly isMutable: boolean }
  | { readonly kind: "assign"; readonly name: string; readonly value: Value }
  | { readonly kind: "for"; readonly name: string; readonly from: Value; readonly to: Value; readonly body: Block }
  | { readonly kind: "if"; readonly condition: Value; readonly body: Block }
  | { readonly kind: "store"; readonly binding: number; readonly index: Value; readonly value: Value }
  /** Once for each invocation: a loop, or a thread. */
  | { readonly kind: "each"; readonly body: Block }
  /** A statement that prints as nothing, to keep the places of the others. */
  | { readonly kind: "nothing" };

export interface Block {
  readonly scope: Scope;
  readonly lines: readonly Line[];
}

export interface NumberedKernel {
  readonly root: Block;
  /** In order of id. */
  readonly values: readonly Value[];
}

/** @throws InvariantError for a kernel that breaks the rules of `kernel.ts`. */
export function numberKernel(kernel: Kernel): NumberedKernel {
  return new Numbering(kernel).run();
}

/** True where an index is known to be inside a binding. */
export function isInside(index: Value, binding: Binding): boolean {
  return index.range.min >= 0 && index.range.max < binding.length;
}

class Numbering {
  readonly #kernel: Kernel;
  readonly #values: Value[] = [];
  readonly #names = new Map<string, Value | { readonly mutable: ScalarType }>();
  readonly #stableByExpr = new Map<Expr, Value>();
  #volatileByExpr = new Map<Expr, Value>();
  readonly #byKey = new Map<string, Value>();
  readonly #root: Scope = { parent: undefined, parentIndex: 0, depth: 0, isLoop: false };
  #scope: Scope = this.#root;
  /** Counts statements, so that volatile values of different ones differ. */
  #statement = 0;

  constructor(kernel: Kernel) {
    this.#kernel = kernel;
    const { name, invocations, bindings } = kernel;
    const fits = Number.isInteger(invocations) && invocations >= 1 && invocations < 2 ** 31;
    assert(fits, `kernel ${name}: expected 1 to 2^31 - 1 invocations, found ${invocations}`);
    for (const { length } of bindings) {
      assert(
        Number.isInteger(length) && length >= 1,
        `kernel ${name}: expected a length of at least 1, found ${length}`,
      );
    }
  }

  run(): NumberedKernel {
    const scope = this.#enter(0, true);
    const x: Expr = { kind: "variable", type: "i32", name: "invocation" };
    this.#names.set("invocation", this.#create(x, [], false, { min: 0, max: this.#kernel.invocations - 1 }));
    const body = this.#block(this.#kernel.body, scope);
    return { root: { scope: this.#root, lines: [{ kind: "each", body }] }, values: this.#values };
  }

  #enter(parentIndex: number, isLoop: boolean): Scope {
    const parent = this.#scope;
    this.#scope = { parent, parentIndex, depth: parent.depth + 1, isLoop };
    return this.#scope;
  }

  #block(statements: readonly Statement[], scope: Scope): Block {
    const lines: Line[] = [];
    for (const [index, statement] of statements.entries()) {
      this.#scope = scope;
      this.#statement += 1;
      this.#volatileByExpr = new Map();
      lines.push(this.#line(statement, { scope, index }));
    }
    return { scope, lines };
  }

  #line(statement: Statement, site: Site): Line {
    switch (statement.kind) {
      case "let": {
        const value = this.#value(statement.value);
        if (!value.isVolatile) {
          value.pins.push(site);
          this.#define(statement.name, value);
          return { kind: "nothing" };
        }
        value.uses.push(site);
        const x: Expr = { kind: "variable", type: value.expr.type, name: statement.name };
        this.#define(statement.name, this.#create(x, [], false, value.range));
        return { kind: "define", name: statement.name, value, isMutable: false };
      }
      case "var": {
        const value = this.#use(statement.value, site);
        this.#define(statement.name, { mutable: value.expr.type });
        return { kind: "define", name: statement.name, value, isMutable: true };
      }
      case "assign": {
        const target = this.#names.get(statement.name);
        const type = target !== undefined && "mutable" in target ? target.mutable : undefined;
        this.#check(type === statement.value.type, `a ${type} for ${statement.name}`, statement.value.type);
        return { kind: "assign", name: statement.name, value: this.#use(statement.value, site) };
      }
      case "for":
        return this.#for(statement, site);
      case "if": {
        const condition = this.#use(statement.condition, site);
        this.#check(condition.expr.type === "bool", "a bool condition", condition.expr.type);
        return { kind: "if", condition, body: this.#block(statement.body, this.#enter(site.index, false)) };
      }
      case "store":
        return this.#store(statement, site);
    }
  }

  #for(statement: Statement & { kind: "for" }, site: Site): Line {
    const from = this.#use(statement.from, site);
    const to = this.#use(statement.to, site);
    this.#check(from.expr.type === "i32" && to.expr.type === "i32", "i32 bounds", `${from.expr.type}, ${to.expr.type}`);
    if (to.isVolatile || to.expr.kind !== "variable") to.isNamed = true;
    const scope = this.#enter(site.index, true);
    const x: Expr = { kind: "variable", type: "i32", name: statement.name };
    const range = { min: from.range.min, max: Math.max(from.range.min, to.range.max - 1) };
    this.#define(statement.name, this.#create(x, [], false, range));
    return { kind: "for", name: statement.name, from, to, body: this.#block(statement.body, scope) };
  }

  #store(statement: Statement & { kind: "store" }, site: Site): Line {
    const binding = this.#binding(statement.binding);
    this.#check(binding.access !== "read", `a written binding ${statement.binding}`, binding.access);
    const { index: at, value: stored } = statement;
    this.#check(isInteger(at.type), "an integer index", at.type);
    this.#check(stored.type === valueTypeOf(binding.type), `a stored ${binding.type}`, stored.type);
    const { range } = this.#value(at);
    // WGSL refuses a place that is never inside.
    if (range.max < 0 || range.min >= binding.length) return { kind: "nothing" };
    const index = this.#use(at, site);
    const value = this.#use(stored, site);
    if (!isInside(index, binding) && index.expr.kind !== "variable") index.isNamed = true;
    return { kind: "store", binding: statement.binding, index, value };
  }

  #define(name: string, meaning: Value | { readonly mutable: ScalarType }): void {
    this.#check(/^[A-Za-z][A-Za-z0-9_]*$/.test(name), "a name of letters, digits and _", name);
    this.#check(!this.#names.has(name), "names that are unique", name);
    this.#names.set(name, meaning);
  }

  #use(x: Expr, site: Site): Value {
    const value = this.#value(x);
    value.uses.push(site);
    return value;
  }

  #value(root: Expr): Value {
    const known = (x: Expr): Value | undefined => this.#stableByExpr.get(x) ?? this.#volatileByExpr.get(x);
    visitOperandsFirst(
      root,
      (x) => known(x) !== undefined,
      (x) => {
        const operands = operandsOf(x).map((operand) => known(operand) as Value);
        const value = this.#valueOf(x, operands);
        (value.isVolatile ? this.#volatileByExpr : this.#stableByExpr).set(x, value);
      },
    );
    return known(root) as Value;
  }

  #valueOf(x: Expr, operands: readonly Value[]): Value {
    let isVolatile = operands.some((operand) => operand.isVolatile);
    if (x.kind === "variable") {
      const found = this.#names.get(x.name);
      this.#check(found !== undefined, "a variable that is defined", x.name);
      const type = "mutable" in found ? found.mutable : found.expr.type;
      this.#check(type === x.type, `${x.name} as ${type}`, x.type);
      if (!("mutable" in found)) return found;
      isVolatile = true;
    }
    if (x.kind === "load") {
      const binding = this.#binding(x.binding);
      this.#check(binding.access !== "write", `a read binding ${x.binding}`, binding.access);
      this.#check(valueTypeOf(binding.type) === x.type, `a load of ${binding.type}`, x.type);
      isVolatile ||= binding.access !== "read";
    }
    const folded = fold(x, operands);
    if (folded !== undefined) return this.#valueOf(folded, []);
    const same = sameAs(x, operands);
    if (same !== undefined) return same;
    if (isByZero("remainder", x, operands)) return this.#valueOf({ kind: "constant", type: x.type, value: 0 }, []);
    const key = `${isVolatile ? this.#statement : ""}:${keyOf(x)}:${operands.map((operand) => operand.id).join()}`;
    let value = this.#byKey.get(key);
    if (value === undefined) {
      value = this.#create(x, operands, isVolatile);
      this.#byKey.set(key, value);
    }
    return value;
  }

  #create(expr: Expr, operands: readonly Value[], isVolatile: boolean, range?: Interval): Value {
    let home = isVolatile || expr.kind === "variable" ? this.#scope : this.#root;
    for (const operand of operands) if (operand.home.depth > home.depth) home = operand.home;
    const value: Value = {
      id: this.#values.length,
      expr,
      operands,
      range: range ?? intervalOf(expr, operands),
      isVolatile,
      home,
      uses: [],
      pins: [],
      isNamed: false,
    };
    this.#values.push(value);
    return value;
  }

  #binding(index: number): Binding {
    const binding = this.#kernel.bindings[index];
    this.#check(binding !== undefined, `a binding below ${this.#kernel.bindings.length}`, `${index}`);
    return binding;
  }

  #check(condition: boolean, expected: string, found: string): asserts condition {
    assert(condition, `kernel ${this.#kernel.name}: expected ${expected}, found ${found}`);
  }
}

function isInteger(type: ScalarType): boolean {
  return type === "i32" || type === "u32";
}

function intervalOf(x: Expr, operands: readonly Value[]): Interval {
  if (!isInteger(x.type)) return wholeInterval(x.type);
  const sources = operandsOf(x);
  return inferInterval(x, (operand) => operands[sources.indexOf(operand)]?.range ?? wholeInterval(operand.type));
}

/** What tells two expressions with the same operands apart. */
function keyOf(x: Expr): string {
  switch (x.kind) {
    case "constant":
      return `${x.type} ${Object.is(x.value, -0) ? "-0" : x.value}`;
    case "variable":
      return `name ${x.name}`;
    case "unary":
    case "binary":
      return `${x.op} ${x.type}`;
    case "load":
      return `load ${x.binding}`;
    case "select":
    case "cast":
    case "bitcast":
      return `${x.kind} ${x.type}`;
  }
}

/** The constant that an operation on constants is: WGSL refuses some of them, such as an overflow. */
function fold(x: Expr, operands: readonly Value[]): Expr | undefined {
  const constants: (Expr & { kind: "constant" })[] = [];
  for (const { expr } of operands) {
    if (expr.kind !== "constant") return undefined;
    constants.push(expr);
  }
  const [a, b] = constants;
  if (a === undefined) return undefined;
  const literal = (value: number | boolean): Expr => ({ kind: "constant", type: x.type, value });
  switch (x.kind) {
    case "unary":
      return literal(foldUnary(x.op, x.type, a.value));
    case "binary":
      return b === undefined ? undefined : literal(foldBinary(x.op, a.type, a.value, b.value));
    case "cast":
      return literal(foldCast(x.type, a.type, a.value));
    case "bitcast": {
      const value = foldBitcast(x.type, a.type, Number(a.value));
      // A NaN's bits would not survive as a JavaScript number.
      return Number.isNaN(value) || Number.isNaN(a.value) ? undefined : literal(value);
    }
    default:
      return undefined;
  }
}

/** The operand that `x` is: WGSL refuses some operations that need not be written at all. */
function sameAs(x: Expr, operands: readonly Value[]): Value | undefined {
  const [a, b, c] = operands;
  if (x.kind === "select" && a?.expr.kind === "constant") return a.expr.value === true ? b : c;
  return isByZero("divide", x, operands) ? a : undefined;
}

/** True for x / 0 (which is x) and x % 0 (0) on integers: WGSL refuses a literal 0 there. */
function isByZero(op: "divide" | "remainder", x: Expr, operands: readonly Value[]): boolean {
  if (x.kind !== "binary" || x.op !== op || x.type === "f32") return false;
  const divisor = operands[1]?.expr;
  return divisor?.kind === "constant" && divisor.value === 0;
}
