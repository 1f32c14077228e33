/**
 * Kernels that store a result over an array that they read: the update of a parameter needs no copy and no second array.
 *
 * Legal when each element is read just where, and before, the new one is stored: all loads of the array are at the index
 * of the one store, in statements of its block up to itself.
 */
import { variable } from "../lang/expr.ts";
import type { Binding, Expr, Kernel, Statement } from "../lang/kernel.ts";
import { expressionsIn, substitute } from "../lang/substitute.ts";
import { sameExpr } from "../lang/walk.ts";

/** Indices are sums of a few terms; deeper ones count as different. */
const DEPTH_MAX = 16;
/** Stands for the written binding while the others are renumbered. */
const WRITTEN = -1;

type Load = Expr & { readonly kind: "load" };

/** True when binding `output` may be the memory of binding `input`. */
export function canOverwrite(kernel: Kernel, output: number, input: number): boolean {
  return findPlace(kernel, output, input) !== undefined;
}

/** `kernel` with binding `output` in the place of `input`, which is left out; undefined where that is not legal. */
export function overwriting(kernel: Kernel, output: number, input: number): Kernel | undefined {
  const place = findPlace(kernel, output, input);
  if (place === undefined) return undefined;
  const { load, first } = place;
  const moved = (binding: number): number => (binding > input ? binding - 1 : binding);
  const name = `old_${output}`;
  const old = variable(load.type, name);
  const body = substitute(withBefore(kernel.body, first, { kind: "let", name, value: { ...load, binding: WRITTEN } }), {
    expr: (x) => {
      if (x.kind !== "load") return x;
      if (x.binding === input) return old;
      return { ...x, binding: x.binding === WRITTEN ? moved(output) : moved(x.binding) };
    },
    store: (store) => [{ ...store, binding: moved(store.binding) }],
  });
  const bindings = kernel.bindings.map((binding, i): Binding => {
    return i === output ? { ...binding, access: "readWrite" } : binding;
  });
  return { ...kernel, bindings: bindings.filter((_, i) => i !== input), body };
}

interface Place {
  /** One of the loads, all of which are at the same index. */
  readonly load: Load;
  /** The first statement with one. */
  readonly first: Statement;
}

function findPlace(kernel: Kernel, output: number, input: number): Place | undefined {
  if (kernel.bindings[output]?.access !== "write" || kernel.bindings[input]?.access !== "read") return undefined;
  if (kernel.bindings[output].type !== kernel.bindings[input].type) return undefined;
  const stores = storesInto(kernel.body, output);
  const [at] = stores;
  if (at === undefined || stores.length !== 1) return undefined;
  const all = loadsOf(kernel.body, input);
  const [load] = all;
  if (load === undefined || !all.every(({ index }) => sameExpr(index, at.store.index, DEPTH_MAX))) return undefined;
  const storeAt = at.block.indexOf(at.store);
  const reading = at.block.filter((statement) => loadsOf([statement], input).length > 0);
  const [first] = reading;
  if (
    first === undefined ||
    reading.some((statement) => at.block.indexOf(statement) > storeAt || "body" in statement)
  ) {
    return undefined;
  }
  // As many as there are in the whole kernel: none in another block.
  return new Set(loadsOf(reading, input)).size === all.length ? { load, first } : undefined;
}

function loadsOf(statements: readonly Statement[], binding: number): Load[] {
  return [...expressionsIn(statements)].filter((x): x is Load => x.kind === "load" && x.binding === binding);
}

interface StorePlace {
  readonly store: Statement & { kind: "store" };
  readonly block: readonly Statement[];
}

function storesInto(block: readonly Statement[], binding: number): StorePlace[] {
  return block.flatMap((statement) => {
    if (statement.kind === "store") return statement.binding === binding ? [{ store: statement, block }] : [];
    return "body" in statement ? storesInto(statement.body, binding) : [];
  });
}

/** `statements` with `added` just before `at`, in whatever block that is. */
function withBefore(statements: readonly Statement[], at: Statement, added: Statement): Statement[] {
  return statements.flatMap((statement): Statement[] => {
    if (statement === at) return [added, statement];
    return "body" in statement ? [{ ...statement, body: withBefore(statement.body, at, added) }] : [statement];
  });
}
