/**
 * Value numbering: a kernel's expressions, each distinct one once, and its statements over those values.
 *
 * The first half of printing (`placing.ts` is the second). Values are *stable*, the same wherever their names are
 * known, or *volatile*: they read a `var` or an array that the kernel writes, and hold for one statement only; so no
 * value crosses a barrier that could change it. A `let` of a stable value is that value, under another name. Also checks
 * the kernel: names, types, arrays, and that barriers are where all lanes of a workgroup come by.
 */
import { assert } from "../../base/assert.ts";
import { privatePlace, storagePlaces, type ArrayPlace, type StoragePlaces } from "./array-place.ts";
import { BUILT_INS, builtInOf } from "./built-ins.ts";
import { describeExpr } from "./describe-expr.ts";
import { wholeInterval, type Interval } from "./interval.ts";
import {
  valueTypeOf,
  type BuiltInName,
  type Expr,
  type Kernel,
  SUBGROUP_SIZE_MAX,
  type ScalarType,
  type Statement,
} from "./kernel.ts";
import {
  isInside,
  type Block,
  type Line,
  type NumberedKernel,
  type Scope,
  type Site,
  type Value,
} from "./numbered-kernel.ts";
import { fold, intervalOf, isByZero, isInteger, keyOf, sameAs } from "./value-rules.ts";
import { NO_VECTORS, type VectorAccess, type VectorElement } from "./vector-access.ts";
import { operandsOf, visitOperandsFirst } from "./walk.ts";

/**
 * The kernel's values and lines, with the vector accesses that the target is to make.
 *
 * @throws InvariantError for a kernel that breaks the rules of `kernel.ts`.
 */
export function numberKernel(kernel: Kernel, vectors: VectorAccess = NO_VECTORS): NumberedKernel {
  return new Numbering(kernel, vectors).run();
}

/** What a name stands for: a value, a `var`, or a private array. */
type Meaning = Value | { readonly mutable: ScalarType } | { readonly place: ArrayPlace };

class Numbering {
  readonly #kernel: Kernel;
  readonly #vectors: VectorAccess;
  readonly #storage: StoragePlaces;
  readonly #values: Value[] = [];
  readonly #names = new Map<string, Meaning>();
  readonly #builtIns = new Set<BuiltInName>();
  readonly #stableByExpr = new Map<Expr, Value>();
  #volatileByExpr = new Map<Expr, Value>();
  readonly #byKey = new Map<string, Value>();
  /** By the first let of four: the name of their vector. */
  readonly #wholes = new Map<Statement, Value>();
  readonly #root: Scope = { parent: undefined, parentIndex: 0, depth: 0, isLoop: false, divergence: undefined };
  #scope: Scope = this.#root;
  /** Counts statements, so that volatile values of different ones differ. */
  #statement = 0;

  constructor(kernel: Kernel, vectors: VectorAccess) {
    this.#kernel = kernel;
    this.#vectors = vectors;
    const { invocations, bindings, workgroup } = kernel;
    const fits = Number.isInteger(invocations) && invocations >= 1 && invocations < 2 ** 31;
    this.#check(fits, "1 to 2^31 - 1 invocations", `${invocations}`);
    for (const { length } of [...bindings, ...(workgroup?.shared ?? [])]) this.#checkLength(length);
    if (workgroup !== undefined) {
      const { lanes } = workgroup;
      this.#check(Number.isInteger(lanes) && lanes >= 1, "at least 1 lane", `${lanes}`);
      this.#check(invocations % lanes === 0, `a multiple of ${lanes} invocations`, `${invocations}`);
    }
    this.#storage = storagePlaces(kernel, vectors);
  }

  run(): NumberedKernel {
    const scope = this.#enter(0, true, undefined);
    for (const name of BUILT_INS) {
      const { range, isUniform } = builtInOf(name, this.#kernel);
      this.#names.set(name, this.#name("i32", name, range, isUniform));
    }
    const body = this.#block(this.#kernel.body, scope);
    const root: Block = { scope: this.#root, lines: [{ kind: "each", body }] };
    return { root, values: this.#values, builtIns: this.#builtIns };
  }

  #enter(parentIndex: number, isLoop: boolean, divergence: string | undefined): Scope {
    const parent = this.#scope;
    this.#scope = { parent, parentIndex, depth: parent.depth + 1, isLoop, divergence: parent.divergence ?? divergence };
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
        const element = this.#vectors.lets.get(statement);
        if (element !== undefined) return this.#letElement(statement, element, site);
        const value = this.#value(statement.value);
        if (!value.isVolatile) {
          value.pins.push(site);
          this.#define(statement.name, value);
          return { kind: "nothing" };
        }
        value.uses.push(site);
        this.#define(statement.name, this.#name(value.expr.type, statement.name, value.range));
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
        const divergence = condition.isUniform ? undefined : `if ${describeExpr(statement.condition)}`;
        return { kind: "if", condition, body: this.#block(statement.body, this.#enter(site.index, false, divergence)) };
      }
      case "store":
      case "storeShared":
      case "storePrivate":
        return this.#store(statement, site);
      case "array": {
        this.#checkLength(statement.length);
        const array = privatePlace(statement.name, statement.type, statement.length);
        this.#define(statement.name, { place: array });
        return { kind: "array", array };
      }
      case "barrier":
        this.#checkUniform("barrier");
        return { kind: "barrier" };
      case "subgroup":
        return this.#subgroup(statement, site);
    }
  }

  /** A let of an element of the workgroup's: with the first of four the whole vector gets a name. */
  #letElement(
    { name, value: x }: Statement & { kind: "let" },
    { first, index, component }: VectorElement & { readonly first: Statement },
    site: Site,
  ): Line {
    const isFirst = !this.#wholes.has(first);
    let line: Line = { kind: "nothing" };
    if (isFirst) {
      const array = x.kind === "loadShared" ? this.#arrayOf(x) : undefined;
      const value = this.#keyed(x, [this.#value(index)], {
        isVolatile: true,
        isUniform: false,
        array,
        vector: "whole",
      });
      value.uses.push(site);
      this.#wholes.set(first, this.#name(x.type, `${name}_vector`, wholeInterval(x.type)));
      line = { kind: "define", name: `${name}_vector`, value, isMutable: false };
    }
    const whole = this.#wholes.get(first);
    assert(whole !== undefined, `kernel ${this.#kernel.name}: expected a vector for ${name}`);
    const array = x.kind === "loadShared" ? this.#arrayOf(x) : undefined;
    this.#define(name, this.#keyed(x, [whole], { isVolatile: false, isUniform: false, array, vector: component }));
    return line;
  }

  #subgroup({ op, name, value: x, mask = 0, lane = 0 }: Statement & { kind: "subgroup" }, site: Site): Line {
    this.#checkUniform(`subgroup ${op}`);
    const value = this.#use(x, site);
    const { type } = value.expr;
    this.#check(type !== "bool", `an f32, i32 or u32 for subgroup ${op}`, type);
    const fits = op === "shuffleXor" ? Number.isInteger(mask) && mask >= 1 && mask < SUBGROUP_SIZE_MAX : mask === 0;
    this.#check(fits, op === "shuffleXor" ? `a mask of 1 to ${SUBGROUP_SIZE_MAX - 1}` : `no mask for ${op}`, `${mask}`);
    const isLane = op === "broadcast" ? Number.isInteger(lane) && lane >= 0 && lane < SUBGROUP_SIZE_MAX : lane === 0;
    this.#check(
      isLane,
      op === "broadcast" ? `a lane of 0 to ${SUBGROUP_SIZE_MAX - 1}` : `no lane for ${op}`,
      `${lane}`,
    );
    this.#define(name, this.#name(type, name, wholeInterval(type)));
    return { kind: "subgroup", op, name, value, mask, lane };
  }

  #for(statement: Statement & { kind: "for" }, site: Site): Line {
    const from = this.#use(statement.from, site);
    const to = this.#use(statement.to, site);
    this.#check(from.expr.type === "i32" && to.expr.type === "i32", "i32 bounds", `${from.expr.type}, ${to.expr.type}`);
    if (to.isVolatile || to.expr.kind !== "variable") to.isNamed = true;
    const isUniform = from.isUniform && to.isUniform;
    const bounds = `for ${statement.name} from ${describeExpr(statement.from)} to ${describeExpr(statement.to)}`;
    const scope = this.#enter(site.index, true, isUniform ? undefined : bounds);
    const range = { min: from.range.min, max: Math.max(from.range.min, to.range.max - 1) };
    this.#define(statement.name, this.#name("i32", statement.name, range, isUniform));
    return { kind: "for", name: statement.name, from, to, body: this.#block(statement.body, scope) };
  }

  #store(statement: Statement & { kind: "store" | "storeShared" | "storePrivate" }, site: Site): Line {
    const array = this.#arrayOf(statement);
    this.#check(array.access !== "read", `a written ${array.words}`, array.access);
    const { index: at, value: stored } = statement;
    this.#check(isInteger(at.type), "an integer index", at.type);
    this.#check(stored.type === valueTypeOf(array.type), `a stored ${array.type}`, stored.type);
    if (this.#vectors.merged.has(statement)) return { kind: "nothing" };
    const vector = this.#vectors.stores.get(statement);
    if (vector !== undefined) {
      const values = vector.parts.map((part) => this.#use(part.value, site));
      return { kind: "store", array, index: this.#use(vector.index, site), values };
    }
    const { range } = this.#value(at);
    // WGSL refuses a place that is never inside.
    if (range.max < 0 || range.min >= array.length) return { kind: "nothing" };
    const index = this.#use(at, site);
    const value = this.#use(stored, site);
    if (!isInside(index, array) && index.expr.kind !== "variable") index.isNamed = true;
    return { kind: "store", array, index, values: [value] };
  }

  #define(name: string, meaning: Meaning): void {
    this.#check(/^[A-Za-z][A-Za-z0-9_]*$/.test(name), "a name of letters, digits and _", name);
    this.#check(!this.#names.has(name), "names that are unique", name);
    this.#names.set(name, meaning);
  }

  /** The value of a name that never changes. */
  #name(type: ScalarType, name: string, range: Interval, isUniform: boolean = false): Value {
    return this.#create({ kind: "variable", type, name }, [], { isVolatile: false, isUniform, range });
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
    let isUniform = operands.every((operand) => operand.isUniform);
    let array: ArrayPlace | undefined;
    if (x.kind === "variable") {
      const found = this.#variable(x);
      if ("expr" in found) return found;
      isVolatile = true;
      isUniform = false;
    } else if (x.kind === "load" || x.kind === "loadShared" || x.kind === "loadPrivate") {
      array = this.#arrayOf(x);
      this.#check(array.access !== "write", `a read ${array.words}`, array.access);
      this.#check(valueTypeOf(array.type) === x.type, `a load of ${array.type}`, x.type);
      isVolatile ||= array.access !== "read";
      isUniform &&= array.access === "read";
      const [place] = operands;
      // Printed twice: which vector, and which component.
      if (array.isVector && place !== undefined && place.expr.kind !== "variable") place.isNamed = true;
    }
    const element = this.#vectors.loads.get(x);
    if (element !== undefined) return this.#elementOf(x, element, { isVolatile, isUniform, array });
    const folded = fold(x, operands);
    if (folded !== undefined) return this.#valueOf(folded, []);
    const same = sameAs(x, operands);
    if (same !== undefined) return same;
    if (isByZero("remainder", x, operands)) return this.#valueOf({ kind: "constant", type: x.type, value: 0 }, []);
    return this.#keyed(x, operands, { isVolatile, isUniform, array });
  }

  /** A load as a component of the vector that it is in. */
  #elementOf(x: Expr, { index, component }: VectorElement, known: Known): Value {
    const whole = this.#keyed(x, [this.#value(index)], { ...known, vector: "whole" });
    return this.#keyed(x, [whole], { ...known, vector: component });
  }

  /** The value of `x` with these operands: the one that there is, or a new one. */
  #keyed(x: Expr, operands: readonly Value[], known: Known): Value {
    const statement = known.isVolatile ? this.#statement : "";
    const key = `${statement}:${keyOf(x)} ${known.vector ?? ""}:${operands.map((operand) => operand.id).join()}`;
    const value = this.#byKey.get(key) ?? this.#create(x, operands, known);
    this.#byKey.set(key, value);
    return value;
  }

  #variable(x: Expr & { kind: "variable" }): Value | { readonly mutable: ScalarType } {
    const found = this.#names.get(x.name);
    this.#check(found !== undefined, "a variable that is defined", x.name);
    this.#check(!("place" in found), "a variable", `the array ${x.name}`);
    const type = "mutable" in found ? found.mutable : found.expr.type;
    this.#check(type === x.type, `${x.name} as ${type}`, x.type);
    const builtIn = BUILT_INS.find((name) => name === x.name);
    if (builtIn !== undefined) {
      const isThere = this.#kernel.workgroup !== undefined || !builtIn.startsWith("subgroup");
      this.#check(isThere, `a workgroup in a kernel that uses ${builtIn}`, "none");
      this.#builtIns.add(builtIn);
    }
    return found;
  }

  #create(expr: Expr, operands: readonly Value[], known: Known): Value {
    let home = known.isVolatile || expr.kind === "variable" ? this.#scope : this.#root;
    for (const operand of operands) if (operand.home.depth > home.depth) home = operand.home;
    const value: Value = {
      id: this.#values.length,
      expr,
      operands,
      range: known.range ?? intervalOf(expr, operands),
      isVolatile: known.isVolatile,
      isUniform: known.isUniform,
      array: known.array,
      vector: known.vector,
      home,
      uses: [],
      pins: [],
      isNamed: false,
    };
    this.#values.push(value);
    return value;
  }

  #arrayOf(x: ArrayUse): ArrayPlace {
    if (x.kind === "loadPrivate" || x.kind === "storePrivate") {
      const found = this.#names.get(x.name);
      this.#check(found !== undefined && "place" in found, "a private array that is declared", x.name);
      return found.place;
    }
    const isBinding = x.kind === "load" || x.kind === "store";
    const at = isBinding ? x.binding : x.array;
    const all = isBinding ? this.#storage.bindings : this.#storage.shared;
    const place = all[at];
    this.#check(place !== undefined, `a ${isBinding ? "binding" : "shared array"} below ${all.length}`, `${at}`);
    return place;
  }

  #checkLength(length: number): void {
    this.#check(Number.isInteger(length) && length >= 1, "a length of at least 1", `${length}`);
  }

  #checkUniform(what: string): void {
    this.#check(this.#kernel.workgroup !== undefined, `a workgroup in a kernel with a ${what}`, "none");
    const { divergence } = this.#scope;
    this.#check(divergence === undefined, `a ${what} where all lanes come by`, `it under ${divergence}`);
  }

  #check(condition: boolean, expected: string, found: string): asserts condition {
    assert(condition, `kernel ${this.#kernel.name}: expected ${expected}, found ${found}`);
  }
}

/** What a new value is told; its bounds follow from the operands unless given. */
interface Known {
  readonly isVolatile: boolean;
  readonly isUniform: boolean;
  readonly array?: ArrayPlace | undefined;
  readonly vector?: "whole" | number;
  readonly range?: Interval;
}

/** Expressions and statements that name an array. */
type ArrayUse =
  | (Expr & { kind: "load" | "loadShared" | "loadPrivate" })
  | (Statement & { kind: "store" | "storeShared" | "storePrivate" });
