/**
 * Written-out neighbours: expressions and stores for one place, again for the places beside it.
 *
 * What depends on a row's place, a column's or a row's results is emitted once, over variables that stand for those, and
 * copied with their values put in; so the compiler's emitter sees each element once, whatever the schedule.
 */
import { assert } from "../../../base/assert.ts";
import * as build from "../../lang/build.ts";
import type { Expr, Statement } from "../../lang/kernel.ts";
import { substitute } from "../../lang/substitute.ts";

/** By the name of a variable that stands for something: what it stands for here. */
export type Places = ReadonlyMap<string, Expr>;

const NOWHERE: Places = new Map();

/** One place after another where several of them vary independently. */
export function placesOf(...places: readonly Places[]): Places {
  const full = places.filter(({ size }) => size > 0);
  if (full.length < 2) return full[0] ?? NOWHERE;
  return new Map(full.flatMap((each) => [...each]));
}

/** `x` with the variables of `places` replaced. */
export function exprAt(x: Expr, places: Places): Expr {
  if (places.size === 0) return x;
  const [statement] = substitute([{ kind: "let", name: "copy", value: x }], { expr: replacing(places) });
  assert(statement?.kind === "let", "exprAt: expected the copy");
  return statement.value;
}

/** Stores with the variables of `places` replaced. */
export function storesAt(stores: readonly Statement[], places: Places): readonly Statement[] {
  return places.size === 0 ? stores : substitute(stores, { expr: replacing(places) });
}

/** Integer sums and products are built anew, so that indices are as simple as if they had been built there. */
function replacing(places: Places): (x: Expr) => Expr {
  return (x) => {
    if (x.kind === "variable") return places.get(x.name) ?? x;
    return x.kind === "binary" && x.type === "i32" ? build.binary(x.op, x.a, x.b) : x;
  };
}
