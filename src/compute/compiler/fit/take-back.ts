/**
 * Takes back what turned out not to be needed: a walk frees what it can where it has to, and knows only later that less
 * would have done.
 */
import { extraCostOf, peakOf, tidied, type Action } from "./actions.ts";
import type { StepModel } from "./step-model.ts";

/** Each trial walks through the plan. */
const TRIALS_MAX = 200;

/** `actions` without those that can be left out with at most `bytesMax` in memory, the expensive ones first. */
export function withoutNeedless(model: StepModel, actions: readonly Action[], bytesMax: number): Action[] {
  let kept: readonly Action[] = actions;
  const priced = actions
    .map((action) => ({ action, cost: extraCostOf(model, [action]) }))
    .filter(({ cost }) => cost > 0)
    .sort((a, b) => b.cost - a.cost);
  for (const { action } of priced.slice(0, TRIALS_MAX)) {
    if (!kept.includes(action)) continue;
    const without = tidied(model, withoutAction(kept, action));
    if (peakOf(model, without) <= bytesMax && extraCostOf(model, without) < extraCostOf(model, kept)) kept = without;
  }
  return [...kept];
}

/** A value that is not moved out is not moved back. */
function withoutAction(actions: readonly Action[], action: Action): Action[] {
  const at = actions.indexOf(action);
  const isItsReload = (other: Action): boolean => {
    return action.kind === "offload" && other.kind === "reload" && other.value === action.value;
  };
  const back = actions.findIndex((other, i) => i > at && isItsReload(other));
  return actions.filter((_, i) => i !== at && i !== back);
}
