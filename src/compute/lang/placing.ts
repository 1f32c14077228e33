/**
 * Where each value of a numbered kernel is computed, and which ones get a name.
 *
 * A value goes to the innermost block that holds all its uses, then out of every loop it does not depend on (software
 * adapters do not do that themselves), but never out of a condition. It is printed in place when it has one use there.
 */
import { assert } from "../../base/assert.ts";
import type { NumberedKernel, Scope, Site, Value } from "./numbered-kernel.ts";

/** Deeper expressions are cut with a name: parsers recurse. */
const NESTING_MAX = 24;

export interface Placing {
  /** The values to name just before a statement, operands first. */
  lets(scope: Scope, index: number): readonly Value[];
  /** True for a value that has a name and is not printed in place. */
  isNamed(value: Value): boolean;
}

/** Literals and names are as short as any name for them; only a `var` may need to be read once, beforehand. */
function isTrivial(value: Value): boolean {
  return value.expr.kind === "constant" || (value.expr.kind === "variable" && !value.isNamed);
}

/** Decides on all values, users before operands. */
export function placeValues(kernel: NumberedKernel): Placing {
  const { values } = kernel;
  const sites: (Site | undefined)[] = new Array<Site | undefined>(values.length);
  const named: boolean[] = new Array<boolean>(values.length).fill(false);
  const uses: Site[][] = values.map((value) => [...value.uses]);
  for (const value of [...values].reverse()) {
    const own = uses[value.id] ?? [];
    const first = own[0];
    if (first === undefined || isTrivial(value)) continue;
    const site = placeOf(value, [...own, ...value.pins]);
    sites[value.id] = site;
    named[value.id] = value.isNamed || own.length > 1 || site.scope !== first.scope || site.index !== first.index;
    for (const operand of value.operands) uses[operand.id]?.push(site);
  }
  cutDeepExpressions(values, sites, named);
  const lets = groupBySite(values, sites, named);
  return {
    lets: (scope, index) => lets.get(scope)?.get(index) ?? [],
    isNamed: (value) => named[value.id] === true,
  };
}

/** Before which statement of which block `value` is computed. */
function placeOf(value: Value, uses: readonly Site[]): Site {
  let scope = uses[0]?.scope;
  for (const use of uses) scope = commonScope(scope, use.scope);
  assert(scope !== undefined, "placeOf: expected blocks of one kernel");
  while (!value.isVolatile && scope !== value.home && scope.isLoop && scope.parent !== undefined) scope = scope.parent;
  let index = Infinity;
  for (const use of uses) index = Math.min(index, indexIn(scope, use));
  return { scope, index };
}

function commonScope(a: Scope | undefined, b: Scope | undefined): Scope | undefined {
  while (a !== b) {
    if (a === undefined || b === undefined) return undefined;
    if (a.depth >= b.depth) a = a.parent;
    else b = b.parent;
  }
  return a;
}

/** The place in `scope` of the statement that is, or holds, the one at `site`. */
function indexIn(scope: Scope, site: Site): number {
  let at: Site = site;
  while (at.scope !== scope) {
    assert(at.scope.parent !== undefined, "indexIn: expected a block inside the other");
    at = { scope: at.scope.parent, index: at.scope.parentIndex };
  }
  return at.index;
}

function cutDeepExpressions(values: readonly Value[], sites: readonly (Site | undefined)[], named: boolean[]): void {
  const nesting = new Array<number>(values.length).fill(0);
  for (const { id, operands } of values) {
    if (sites[id] === undefined) continue;
    let depth = 0;
    for (const operand of operands) {
      if (sites[operand.id] !== undefined && !named[operand.id]) depth = Math.max(depth, nesting[operand.id] ?? 0);
    }
    nesting[id] = depth + 1;
    if (depth + 1 > NESTING_MAX) named[id] = true;
    if (named[id]) nesting[id] = 0;
  }
}

function groupBySite(
  values: readonly Value[],
  sites: readonly (Site | undefined)[],
  named: readonly boolean[],
): Map<Scope, Map<number, Value[]>> {
  const out = new Map<Scope, Map<number, Value[]>>();
  for (const value of values) {
    const site = sites[value.id];
    if (site === undefined || !named[value.id]) continue;
    const inScope = out.get(site.scope) ?? new Map<number, Value[]>();
    out.set(site.scope, inScope);
    const here = inScope.get(site.index) ?? [];
    inScope.set(site.index, here);
    here.push(value);
  }
  return out;
}
