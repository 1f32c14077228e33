/** Putting an expression together again with parts of it exchanged: substitution, for whoever writes kernels from others. */
import * as build from "./build.ts";
import type { Expr } from "./kernel.ts";
import { operandsOf, visitOperandsFirst } from "./walk.ts";

/** What stands in place of `x`, whose operands are exchanged already; undefined where it stays. */
export type Replace = (x: Expr) => Expr | undefined;

/**
 * `root` with every part replaced for which `replace` gives something, operands first, simplified by `build.ts`.
 *
 * Shared parts stay shared. `memo` keeps what is known between calls with the same `replace`.
 */
export function rebuild(root: Expr, replace: Replace, memo: Map<Expr, Expr> = new Map()): Expr {
  visitOperandsFirst(
    root,
    (x) => memo.has(x),
    (x) => {
      const operands = operandsOf(x);
      const rebuilt = operands.map((operand) => memo.get(operand) ?? operand);
      const whole = rebuilt.every((operand, i) => operand === operands[i]) ? x : withOperands(x, rebuilt);
      memo.set(x, replace(whole) ?? whole);
    },
  );
  return memo.get(root) ?? root;
}

/** The operation of `x` on other operands. */
function withOperands(x: Expr, operands: readonly Expr[]): Expr {
  const [a = x, b = x, c = x] = operands;
  switch (x.kind) {
    case "constant":
    case "variable":
      return x;
    case "unary":
      return build.unary(x.op, a);
    case "binary":
      return build.binary(x.op, a, b);
    case "select":
      return build.select(a, b, c);
    case "cast":
      return build.cast(x.type, a);
    case "bitcast":
      return build.bitcast(x.type, a);
    case "load":
      return build.load(x.binding, a, x.type);
    case "loadShared":
      return x.type === "bool" ? x : build.loadShared(x.array, a, x.type);
    case "loadPrivate":
      return x.type === "bool" ? x : build.loadPrivate(x.name, a, x.type);
  }
}
