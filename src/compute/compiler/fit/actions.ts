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

/** The kernels that an action runs. */
export function worksIn(model: StepModel, action: Action): readonly number[] {
  if (action.kind === "rerun") return [action.work];
  return action.kind === "run" ? (model.worksOf[action.step] ?? []) : [];
}

/** The values whose bytes an action reads; with repeats. */
export function readsOf(model: StepModel, action: Action): readonly number[] {
  if (action.kind === "offload") return [action.value];
  return worksIn(model, action).flatMap((number) => model.work(number).inputs);
}

/** The values that an action puts into memory. */
export function makesOf(model: StepModel, action: Action): readonly number[] {
  if (action.kind === "reload") return [action.value];
  return worksIn(model, action).flatMap((number) => model.work(number).outputs);
}

/**
 * The most bytes alive at the same action. Infinity for a list that reads what is in main memory.
 *
 * Linear in the reads.
 */
export function peakOf(model: StepModel, actions: readonly Action[]): number {
  const changes = new Float64Array(actions.length + 2);
  const from = new Int32Array(model.values.length).fill(-1);
  const last = new Int32Array(model.values.length);
  const close = (value: number): void => {
    const start = from[value] ?? -1;
    if (start < 0) return;
    const { bytes } = model.value(value);
    changes[start] = (changes[start] ?? 0) + bytes;
    const end = (last[value] ?? 0) + 1;
    changes[end] = (changes[end] ?? 0) - bytes;
  };
  for (const [at, action] of actions.entries()) {
    for (const value of readsOf(model, action)) {
      if ((from[value] ?? -1) < 0) return Infinity;
      last[value] = at;
    }
    for (const value of makesOf(model, action)) {
      close(value);
      from[value] = at;
      last[value] = at;
    }
    if (action.kind === "offload") {
      close(action.value);
      from[action.value] = -1;
    }
    if (action.kind === "rerun") addOutputsOfThePlan(model, action.work, at, changes);
  }
  for (const [value, { uses }] of model.values.entries()) {
    if (uses.at(-1) === model.steps.length) last[value] = actions.length;
    close(value);
  }
  let alive = 0;
  return changes.reduce((most, change) => Math.max(most, (alive += change)), 0);
}

/** What a kernel stores into results or leaves is stored once more while it runs again, and not read. */
function addOutputsOfThePlan(model: StepModel, work: number, at: number, changes: Float64Array): void {
  const { storedBytes, outputs } = model.work(work);
  const bytes = storedBytes - model.bytesOf(outputs);
  changes[at] = (changes[at] ?? 0) + bytes;
  changes[at + 1] = (changes[at + 1] ?? 0) - bytes;
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
