/**
 * A plan by numbers, while it is worked on: a list of actions on the kernels and values of a `StepModel`.
 *
 * A read is of the newest bytes of a value, so an action can be taken out of a list, and the readers of what it made read
 * what was there before. That is all that freeing, making again and taking back come to.
 */
import { assert } from "../../../base/assert.ts";
import { costOfOffload } from "./prices.ts";
import type { StepModel } from "./step-model.ts";

/** Runs the kernels of a step, or one of them once more; moves a value out, or back. */
export type Action =
  | { readonly kind: "run"; readonly step: number }
  | { readonly kind: "rerun"; readonly work: number }
  | { readonly kind: "offload"; readonly value: number }
  | { readonly kind: "reload"; readonly value: number };

/** The values whose bytes an action reads. */
export function readsOf(model: StepModel, action: Action): readonly number[] {
  switch (action.kind) {
    case "run":
      return model.waves[action.step]?.inputs ?? [];
    case "rerun":
      return model.work(action.work).inputs;
    case "offload":
      return [action.value];
    case "reload":
      return [];
  }
}

/** The values that an action puts into memory. */
export function makesOf(model: StepModel, action: Action): readonly number[] {
  switch (action.kind) {
    case "run":
      return model.waves[action.step]?.outputs ?? [];
    case "rerun":
      return model.work(action.work).outputs;
    case "reload":
      return [action.value];
    case "offload":
      return [];
  }
}

/** What the actions cost that were not in the plan as it was. */
export function extraCostOf(model: StepModel, actions: readonly Action[]): number {
  return actions.reduce((sum, action) => {
    if (action.kind === "rerun") return sum + model.costOf(action.work);
    return action.kind === "offload" ? sum + costOfOffload(model.value(action.value).bytes) : sum;
  }, 0);
}

/** `actions` without what nobody reads, and with values moved out as soon as they are idle. */
export function tidied(model: StepModel, actions: readonly Action[]): Action[] {
  const isRead = new Uint8Array(model.values.length);
  const isReloaded = new Uint8Array(model.values.length);
  const kept: Action[] = [];
  for (const [value, { uses }] of model.values.entries()) isRead[value] = uses.at(-1) === model.steps.length ? 1 : 0;
  for (const action of [...actions].reverse()) {
    const makes = makesOf(model, action);
    if (action.kind === "offload") {
      if (isReloaded[action.value] !== 1) continue;
      isReloaded[action.value] = 0;
    } else if (action.kind !== "run" && !makes.some((value) => isRead[value] === 1)) continue;
    for (const value of makes) isRead[value] = 0;
    if (action.kind === "reload") isReloaded[action.value] = 1;
    for (const value of readsOf(model, action)) isRead[value] = 1;
    kept.push(action);
  }
  return withEarlyOffloads(model, kept.reverse());
}

function withEarlyOffloads(model: StepModel, actions: readonly Action[]): Action[] {
  const touchedAt = new Map<number, number>();
  const after = new Map<number, Action[]>();
  for (const [at, action] of actions.entries()) {
    if (action.kind === "offload") {
      const touched = touchedAt.get(action.value);
      assert(touched !== undefined, "fitMemory: expected a value in memory to be moved out");
      after.set(touched, [...(after.get(touched) ?? []), action]);
      continue;
    }
    for (const value of readsOf(model, action)) touchedAt.set(value, at);
    for (const value of makesOf(model, action)) touchedAt.set(value, at);
  }
  return actions.flatMap((action, at) => (action.kind === "offload" ? [] : [action, ...(after.get(at) ?? [])]));
}
