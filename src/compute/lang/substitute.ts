/** The same statements over other variables, loads and bindings: how kernels are rewritten, whole. */
import { BUILT_INS } from "./built-ins.ts";
import { node, rangeOf, variable } from "./expr.ts";
import type { Expr, Statement } from "./kernel.ts";
import { expressionsOf, operandsOf, visitOperandsFirst } from "./walk.ts";

export interface Substitution {
  /** What stands for `x`, whose operands have been replaced already; `x` itself to keep it. */
  expr?(x: Expr): Expr;
  /** The new name of what a statement defines, and of its uses. */
  name?(name: string): string;
  /** What stands for a store, given its new operands. */
  store?(store: Statement & { kind: "store" }): readonly Statement[];
}

const BUILT_IN_NAMES: ReadonlySet<string> = new Set(BUILT_INS);

/** `statements` with all expressions and names replaced. Shared expressions stay shared. */
export function substitute(statements: readonly Statement[], by: Substitution): Statement[] {
  const done = new Map<Expr, Expr>();
  const name = (old: string): string => by.name?.(old) ?? old;
  const replace = (root: Expr): Expr => {
    visitOperandsFirst(
      root,
      (x) => done.has(x),
      (x) => done.set(x, replaced(x)),
    );
    return done.get(root) ?? root;
  };
  const replaced = (x: Expr): Expr => {
    const operands = operandsOf(x);
    let out = x;
    if (x.kind === "variable" && by.name !== undefined && !BUILT_IN_NAMES.has(x.name)) {
      out = variable(x.type, name(x.name), isInteger(x) ? rangeOf(x) : undefined);
    } else if (x.kind === "loadPrivate" && by.name !== undefined) {
      out = node({ ...x, name: name(x.name), index: done.get(x.index) ?? x.index });
    } else if (operands.some((operand) => done.get(operand) !== operand)) {
      out = withOperands(x, operands.map((operand) => done.get(operand) ?? operand)); // prettier-ignore
    }
    return by.expr?.(out) ?? out;
  };
  const inside = (list: readonly Statement[]): Statement[] => list.flatMap(statement);
  const statement = (old: Statement): readonly Statement[] => {
    switch (old.kind) {
      case "let":
      case "var":
      case "assign":
      case "subgroup":
        return [{ ...old, name: name(old.name), value: replace(old.value) }];
      case "for":
        return [{ ...old, name: name(old.name), from: replace(old.from), to: replace(old.to), body: inside(old.body) }];
      case "if":
        return [{ ...old, condition: replace(old.condition), body: inside(old.body) }];
      case "store": {
        const renewed = { ...old, index: replace(old.index), value: replace(old.value) };
        return by.store?.(renewed) ?? [renewed];
      }
      case "storeShared":
        return [{ ...old, index: replace(old.index), value: replace(old.value) }];
      case "storePrivate":
        return [{ ...old, name: name(old.name), index: replace(old.index), value: replace(old.value) }];
      case "array":
        return [{ ...old, name: name(old.name) }];
      case "barrier":
        return [old];
    }
  };
  return inside(statements);
}

function isInteger(x: Expr): boolean {
  return x.type === "i32" || x.type === "u32";
}

function withOperands(x: Expr, operands: readonly Expr[]): Expr {
  const [a, b, c] = operands as readonly [Expr, Expr, Expr];
  switch (x.kind) {
    case "constant":
    case "variable":
      return x;
    case "unary":
    case "cast":
    case "bitcast":
      return node({ ...x, x: a });
    case "binary":
      return node({ ...x, a, b });
    case "select":
      return node({ ...x, condition: a, yes: b, no: c });
    case "load":
    case "loadShared":
    case "loadPrivate":
      return node({ ...x, index: a });
  }
}

/** Every expression that `statements` hold, each once, operands first. */
export function expressionsIn(statements: readonly Statement[]): Set<Expr> {
  const seen = new Set<Expr>();
  const add = (root: Expr): void =>
    visitOperandsFirst(
      root,
      (x) => seen.has(x),
      (x) => seen.add(x),
    );
  const visit = (list: readonly Statement[]): void => {
    for (const statement of list) {
      for (const x of expressionsOf(statement)) add(x);
      if ("body" in statement) visit(statement.body);
    }
  };
  visit(statements);
  return seen;
}
