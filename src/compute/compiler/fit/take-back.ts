/**
 * Takes back what turned out not to be needed: a walk frees what it can where it has to, and knows only later that less
 * would have done.
 */
import { extraCostOf, tidied, type Action } from "./actions.ts";
import { aliveIn, type Alive } from "./alive.ts";
import type { StepModel } from "./step-model.ts";

/** A trial goes through the whole plan. */
const TRIALS_MAX = 100;

/** `actions` without those that can be left out with at most `bytesMax` in memory, the expensive ones first. */
export function withoutNeedless(model: StepModel, actions: readonly Action[], bytesMax: number): readonly Action[] {
  const priced = actions
    .map((action) => ({ action, cost: extraCostOf(model, [action]) }))
    .filter(({ cost }) => cost > 0)
    .sort((a, b) => b.cost - a.cost);
  let kept: readonly Action[] = actions;
  let alive = aliveIn(model, kept);
  let bridges = bridgesOf(kept, alive);
  let trials = 0;
  for (const { action } of priced) {
    const bridge = bridges.get(action);
    if (bridge === undefined || !fits(model, alive, bridge, bytesMax)) continue;
    const without = tidied(model, kept.filter((other) => other !== action && other !== bridge.back)); // prettier-ignore
    const then = aliveIn(model, without);
    if (then.mostBytes <= bytesMax && extraCostOf(model, without) < extraCostOf(model, kept)) {
      [kept, alive, bridges] = [without, then, bridgesOf(without, then)];
    }
    trials += 1;
    if (trials === TRIALS_MAX) break;
  }
  return kept;
}

/** What has to stay in memory where an action is left out: values, after one action and before another. */
interface Bridge {
  readonly spans: readonly { readonly value: number; readonly after: number; readonly until: number }[];
  /** A value that is not moved out is not moved back. */
  readonly back: Action | undefined;
}

/** The bridges of all actions that could be left out. */
function bridgesOf(actions: readonly Action[], { lives }: Alive): Map<Action, Bridge> {
  const bridges = new Map<Action, Bridge>();
  for (const { value, first, before } of lives) {
    const action = actions[first];
    if (action === undefined || action.kind === "run") continue;
    const span = { value, after: before, until: first };
    const out = actions[before];
    if (action.kind === "reload" && out !== undefined) bridges.set(out, { spans: [span], back: action });
    else bridges.set(action, { spans: [...(bridges.get(action)?.spans ?? []), span], back: undefined });
  }
  return bridges;
}

function fits(model: StepModel, { bytes }: Alive, { spans }: Bridge, bytesMax: number): boolean {
  return spans.every(({ value, after, until }) => {
    const room = bytesMax - model.value(value).bytes;
    for (let at = after + 1; at < until; at++) if ((bytes[at] ?? 0) > room) return false;
    return true;
  });
}
