/** The loads in an expression. */
import type { Expr } from "../kernel.ts";
import { visitOperandsFirst } from "../walk.ts";

export type Load = Expr & { readonly kind: "load" };

/** Every load in `root` once, loads in indices of others before those. */
export function loadsIn(root: Expr): Load[] {
  const seen = new Set<Expr>();
  const out: Load[] = [];
  visitOperandsFirst(
    root,
    (x) => seen.has(x),
    (x) => {
      seen.add(x);
      if (x.kind === "load") out.push(x);
    },
  );
  return out;
}
