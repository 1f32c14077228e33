/** Makers of statements, and names for what they define. */
import { assert } from "../../base/assert.ts";
import { i32, loadPrivate } from "./build.ts";
import { BUILT_INS } from "./built-ins.ts";
import { rangeOf, variable } from "./expr.ts";
import type { Expr, PlainType, Statement, SubgroupOp } from "./kernel.ts";

/** Names that are unique in one kernel. */
export class Names {
  readonly #counts = new Map<string, number>();

  /** `row`, then `row_1`, `row_2`: `stem` is a word of letters. */
  fresh(stem: string): string {
    assert(/^[A-Za-z]+$/.test(stem), `Names.fresh: expected a word of letters, found ${JSON.stringify(stem)}`);
    assert(!BUILT_INS.some((name) => name === stem), `Names.fresh: expected a name that is not taken, found ${stem}`);
    const count = this.#counts.get(stem) ?? 0;
    this.#counts.set(stem, count + 1);
    return count === 0 ? stem : `${stem}_${count}`;
  }
}

/** A value computed once: what defines it, and the variable to use it by. The variable keeps the value's bounds. */
export function letIn(names: Names, stem: string, value: Expr): { statement: Statement; use: Expr } {
  const name = names.fresh(stem);
  return { statement: { kind: "let", name, value }, use: variable(value.type, name, rangeOf(value)) };
}

/** A mutable variable: what defines it, and how to read it. */
export function varIn(names: Names, stem: string, value: Expr): { statement: Statement; use: Expr } {
  const name = names.fresh(stem);
  return { statement: { kind: "var", name, value }, use: variable(value.type, name) };
}

/** target = value, where `target` is the use of a `var`. */
export function assign(target: Expr, value: Expr): Statement {
  assert(target.kind === "variable", `assign: expected a variable, found ${target.kind}`);
  assert(target.type === value.type, `assign: expected ${target.type} for ${target.name}, found ${value.type}`);
  return { kind: "assign", name: target.name, value };
}

/** for (name = from; name < to; name++) body(name), both i32. The counter knows its bounds. */
export function forRange(
  names: Names,
  stem: string,
  from: Expr,
  to: Expr,
  body: (counter: Expr) => readonly Statement[],
): Statement {
  assert(from.type === "i32" && to.type === "i32", `forRange: expected i32 bounds, found ${from.type} and ${to.type}`);
  const name = names.fresh(stem);
  const min = rangeOf(from).min;
  const counter = variable("i32", name, { min, max: Math.max(min, rangeOf(to).max - 1) });
  return { kind: "for", name, from, to, body: body(counter) };
}

/** if (condition) body */
export function when(condition: Expr, body: readonly Statement[]): Statement {
  assert(condition.type === "bool", `when: expected a bool condition, found ${condition.type}`);
  return { kind: "if", condition, body };
}

/** binding[index] = value. An index outside the array stores nothing. */
export function store(binding: number, index: Expr, value: Expr): Statement {
  assert(index.type === "i32" || index.type === "u32", `store: expected an integer index, found ${index.type}`);
  assert(value.type !== "bool", "store: expected f32, i32 or u32, found bool: cast it to u32 first");
  return { kind: "store", binding, index, value };
}

/** shared[index] = value, in array number `array` of the workgroup. An index outside the array stores nothing. */
export function storeShared(array: number, index: Expr, value: Expr): Statement {
  assert(index.type === "i32" || index.type === "u32", `storeShared: expected an integer index, found ${index.type}`);
  assert(value.type !== "bool", "storeShared: expected f32, i32 or u32, found bool: cast it to u32 first");
  return { kind: "storeShared", array, index, value };
}

/** An array of one invocation: what declares it (all zeros), and how to load from it and to store into it. */
export interface PrivateArray {
  readonly statement: Statement;
  load(index: Expr | number): Expr;
  store(index: Expr | number, value: Expr): Statement;
}

/** A private array of `length` elements: an accumulator tile, say, that loops index instead of names. */
export function arrayIn(names: Names, stem: string, type: PlainType, length: number): PrivateArray {
  const name = names.fresh(stem);
  const place = (index: Expr | number): Expr => (typeof index === "number" ? i32(index) : index);
  return {
    statement: { kind: "array", name, type, length },
    load: (index) => loadPrivate(name, place(index), type),
    store(index, value) {
      assert(value.type === type, `arrayIn: expected ${type} for ${name}, found ${value.type}`);
      return { kind: "storePrivate", name, index: place(index), value };
    },
  };
}

/** The lanes of a workgroup wait for each other, and see what the others stored before. */
export const BARRIER: Statement = { kind: "barrier" };

/** op over the values of a subgroup's lanes, and the variable that holds the result. */
export function subgroupIn(
  names: Names,
  stem: string,
  op: Exclude<SubgroupOp, "shuffleXor" | "broadcast">,
  value: Expr,
): { statement: Statement; use: Expr } {
  const name = names.fresh(stem);
  return { statement: { kind: "subgroup", op, name, value }, use: variable(value.type, name) };
}

/** The value of lane number `lane` of the subgroup, and the variable that holds it. */
export function broadcastIn(
  names: Names,
  stem: string,
  value: Expr,
  lane: number,
): { statement: Statement; use: Expr } {
  const name = names.fresh(stem);
  return { statement: { kind: "subgroup", op: "broadcast", name, value, lane }, use: variable(value.type, name) };
}

/** The value of the lane whose number in the subgroup is this lane's ^ mask, and the variable that holds it. */
export function shuffleXorIn(
  names: Names,
  stem: string,
  value: Expr,
  mask: number,
): { statement: Statement; use: Expr } {
  const name = names.fresh(stem);
  return { statement: { kind: "subgroup", op: "shuffleXor", name, value, mask }, use: variable(value.type, name) };
}
