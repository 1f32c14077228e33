/** Makers of statements, and names for what they define. */
import { assert } from "../../base/assert.ts";
import { rangeOf, variable } from "./expr.ts";
import type { Expr, Statement } from "./kernel.ts";

/** Names that are unique in one kernel. */
export class Names {
  readonly #counts = new Map<string, number>();

  /** `row`, then `row_1`, `row_2`: `stem` is a word of letters. */
  fresh(stem: string): string {
    assert(/^[A-Za-z]+$/.test(stem), `Names.fresh: expected a word of letters, found ${JSON.stringify(stem)}`);
    assert(stem !== "invocation", "Names.fresh: expected a name that is not taken, found invocation");
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
