/** The loads of neighbouring iterations, one after the other, before anything is made of them. */
import { variable } from "../expr.ts";
import type { Expr, Statement } from "../kernel.ts";
import { rebuild } from "../rebuild.ts";
import { sameExpr, visitOperandsFirst } from "../walk.ts";

/** A load of a kernel. */
export type AnyLoad = Expr & { readonly kind: "load" | "loadShared" | "loadPrivate" };

/**
 * Names every load of `values` that `isFree` allows: the first of each value, then the second of each, and so on. The same
 * element is loaded once. Gives the statements, and the values made of the names.
 */
export function loadTogether(
  values: readonly Expr[],
  isFree: (load: AnyLoad) => boolean,
  fresh: (stem: string) => string,
): { lets: Statement[]; values: Expr[] } {
  const loads = values.map((value) => loadsIn(value).filter(isFree));
  const longest = Math.max(0, ...loads.map(({ length }) => length));
  const lets: Statement[] = [];
  const named: { readonly load: AnyLoad; readonly use: Expr }[] = [];
  const uses = new Map<Expr, Expr>();
  for (let place = 0; place < longest; place++) {
    for (const own of loads) {
      const load = own[place];
      if (load === undefined || uses.has(load)) continue;
      let use = named.find((other) => isSame(other.load, load))?.use;
      if (use === undefined) {
        const name = fresh("loaded");
        use = variable(load.type, name);
        lets.push({ kind: "let", name, value: load });
        named.push({ load, use });
      }
      uses.set(load, use);
    }
  }
  return { lets, values: values.map((value) => rebuild(value, (part) => uses.get(part))) };
}

function isSame(a: AnyLoad, b: AnyLoad): boolean {
  const keyOf = (x: AnyLoad): string =>
    x.kind === "load" ? `${x.binding}` : x.kind === "loadShared" ? `${x.array}` : x.name;
  return a.kind === b.kind && keyOf(a) === keyOf(b) && sameExpr(a.index, b.index);
}

function loadsIn(root: Expr): AnyLoad[] {
  const seen = new Set<Expr>();
  const out: AnyLoad[] = [];
  visitOperandsFirst(
    root,
    (x) => seen.has(x),
    (x) => {
      seen.add(x);
      if (x.kind === "load" || x.kind === "loadShared" || x.kind === "loadPrivate") out.push(x);
    },
  );
  return out;
}
