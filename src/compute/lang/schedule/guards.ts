/** Statements under the same conditions, kept together and moved out of loops that the conditions do not depend on. */
import type { Expr, Statement } from "../kernel.ts";
import { mentions, sameExpr } from "../walk.ts";

/** Statements that run if all guards hold. */
export interface Guarded {
  readonly guards: readonly Expr[];
  readonly body: readonly Statement[];
}

/** True where `guards` has one that reads the same. */
export function hasGuard(guards: readonly Expr[], guard: Expr): boolean {
  return guards.some((other) => sameExpr(other, guard));
}

/** Neighbours with the same guards as one; without empty ones. */
export function groupGuarded(groups: readonly Guarded[]): Guarded[] {
  const out: Guarded[] = [];
  for (const group of groups) {
    if (group.body.length === 0) continue;
    const last = out.at(-1);
    const isSame =
      last?.guards.length === group.guards.length && last.guards.every((guard) => hasGuard(group.guards, guard));
    if (last !== undefined && isSame)
      out[out.length - 1] = { guards: last.guards, body: [...last.body, ...group.body] };
    else out.push(group);
  }
  return out;
}

/** The guards of a loop's whole body that do not depend on its counter, and the body without them. */
export function hoistGuards(groups: readonly Guarded[], counter: string): { outside: Expr[]; inside: Guarded[] } {
  const outside = (groups[0]?.guards ?? []).filter(
    (guard) => !mentions(guard, counter) && groups.every(({ guards }) => hasGuard(guards, guard)),
  );
  const inside = groups.map(({ guards, body }) => ({
    guards: guards.filter((guard) => !hasGuard(outside, guard)),
    body,
  }));
  return { outside, inside };
}
