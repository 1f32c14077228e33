/** Walking expressions and statements. Expressions are graphs with shared nodes, often deep: never recurse. */
import type { Expr, Statement } from "./kernel.ts";

const NONE: readonly Expr[] = [];

/** The operands of `x`, in order. */
export function operandsOf(x: Expr): readonly Expr[] {
  switch (x.kind) {
    case "constant":
    case "variable":
      return NONE;
    case "unary":
    case "cast":
    case "bitcast":
      return [x.x];
    case "binary":
      return [x.a, x.b];
    case "select":
      return [x.condition, x.yes, x.no];
    case "load":
    case "loadShared":
    case "loadPrivate":
      return [x.index];
  }
}

/** The expressions of a statement itself, without those of its body, in the order of their evaluation. */
export function expressionsOf(statement: Statement): readonly Expr[] {
  switch (statement.kind) {
    case "let":
    case "var":
    case "assign":
    case "subgroup":
      return [statement.value];
    case "for":
      return [statement.from, statement.to];
    case "if":
      return [statement.condition];
    case "store":
    case "storeShared":
    case "storePrivate":
      return [statement.index, statement.value];
    case "array":
    case "barrier":
      return NONE;
  }
}

/**
 * Calls `visit` on every node under `root` that `seen` does not report, operands before users, each once.
 *
 * `visit` must make `seen` true for its node. Linear in the nodes; uses no call stack.
 */
export function visitOperandsFirst(root: Expr, seen: (x: Expr) => boolean, visit: (x: Expr) => void): void {
  if (seen(root)) return;
  const stack: { readonly x: Expr; readonly operands: readonly Expr[]; next: number }[] = [];
  stack.push({ x: root, operands: operandsOf(root), next: 0 });
  for (let frame = stack.at(-1); frame !== undefined; frame = stack.at(-1)) {
    const operand = frame.operands[frame.next];
    if (operand === undefined) {
      stack.pop();
      if (!seen(frame.x)) visit(frame.x);
      continue;
    }
    frame.next += 1;
    if (!seen(operand)) stack.push({ x: operand, operands: operandsOf(operand), next: 0 });
  }
}

/** True where the variable `name` is in `root`. */
export function mentions(root: Expr, name: string): boolean {
  const seen = new Set<Expr>();
  let found = false;
  visitOperandsFirst(
    root,
    (x) => seen.has(x),
    (x) => {
      seen.add(x);
      found ||= x.kind === "variable" && x.name === name;
    },
  );
  return found;
}

/** How deep two expressions are compared before they count as different. */
const SAME_DEPTH_MAX = 6;

/** Structural equality; false where a small depth does not show it. Two loads are the same only if they are one node. */
export function sameExpr(a: Expr, b: Expr, depth: number = SAME_DEPTH_MAX): boolean {
  if (a === b) return true;
  if (a.kind !== b.kind || a.type !== b.type || depth === 0) return false;
  switch (a.kind) {
    case "constant":
      return b.kind === "constant" && Object.is(a.value, b.value);
    case "variable":
      return b.kind === "variable" && a.name === b.name;
    case "binary":
      return b.kind === "binary" && a.op === b.op && sameExpr(a.a, b.a, depth - 1) && sameExpr(a.b, b.b, depth - 1);
    case "unary":
      return b.kind === "unary" && a.op === b.op && sameExpr(a.x, b.x, depth - 1);
    case "cast":
      return b.kind === "cast" && sameExpr(a.x, b.x, depth - 1);
    case "bitcast":
      return b.kind === "bitcast" && sameExpr(a.x, b.x, depth - 1);
    case "select":
    case "load":
    case "loadShared":
    case "loadPrivate":
      return false;
  }
}
