/** The slow and obvious meaning of an expression: what the printers and the simplifier are held against. */
import { InvariantError } from "../../../src/base/errors.ts";
import type { Expr } from "../../../src/compute/lang/kernel.ts";
import { foldBinary, foldBitcast, foldCast, foldUnary } from "../../../src/compute/lang/scalar-functions.ts";

/** What a workgroup and an invocation have of their own. */
export interface OwnArrays {
  readonly shared: readonly ArrayLike<number>[];
  readonly private: ReadonlyMap<string, ArrayLike<number>>;
}

/** The value of `x` with these variables and arrays. */
export function interpret(
  x: Expr,
  variables: ReadonlyMap<string, number | boolean>,
  arrays: readonly ArrayLike<number>[] = [],
  own: OwnArrays = { shared: [], private: new Map() },
): number | boolean {
  const memo = new Map<Expr, number | boolean>();
  const value = (e: Expr): number | boolean => {
    const known = memo.get(e);
    if (known !== undefined) return known;
    const out = compute(e);
    memo.set(e, out);
    return out;
  };
  const compute = (e: Expr): number | boolean => {
    switch (e.kind) {
      case "constant":
        return e.value;
      case "variable": {
        const found = variables.get(e.name);
        if (found === undefined) throw new InvariantError(`interpret: no variable ${e.name}`);
        return found;
      }
      case "unary":
        return foldUnary(e.op, e.type, value(e.x));
      case "binary":
        return foldBinary(e.op, e.a.type, value(e.a), value(e.b));
      case "select":
        return value(e.condition) ? value(e.yes) : value(e.no);
      case "cast":
        return foldCast(e.type, e.x.type, value(e.x));
      case "bitcast":
        return foldBitcast(e.type, e.x.type, Number(value(e.x)));
      case "load":
        return element(arrays[e.binding], Number(value(e.index)));
      case "loadShared":
        return element(own.shared[e.array], Number(value(e.index)));
      case "loadPrivate":
        return element(own.private.get(e.name), Number(value(e.index)));
    }
  };
  return value(x);
}

function element(array: ArrayLike<number> = [], index: number): number {
  return array[Math.max(0, Math.min(array.length - 1, index))] ?? 0;
}
