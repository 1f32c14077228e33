/**
 * Makes the kernels of a step need less memory at once: some run again instead of keeping what they made, some values
 * wait in main memory. Pure: nothing is placed or run here.
 *
 * `fit/search.ts` decides what may be done, `fit/walk.ts` finds a plan within a limit, `fit/write-steps.ts` writes it
 * down.
 */
import type { Action } from "./fit/actions.ts";
import { findWay, type Allowed } from "./fit/search.ts";
import { StepModel, type PlanFacts } from "./fit/step-model.ts";
import { writeSteps } from "./fit/write-steps.ts";
import type { Node } from "./ir.ts";
import type { LoweredKernel } from "./lower-region.ts";

/** What a plan does, in order. */
export type PlanStep =
  /** The kernels start together, independent of each other. */
  | { readonly kind: "compute"; readonly kernels: readonly LoweredKernel[] }
  /** The bytes of `node` are copied to main memory; its device memory is free after this step. */
  | { readonly kind: "offload"; readonly node: Node }
  /** The bytes of the offloaded `from` are on the device again, as `node`. Each is moved back once. */
  | { readonly kind: "reload"; readonly node: Node; readonly from: Node };

export interface FitOptions extends PlanFacts {
  /** Of inner values alive at once, sizes rounded up to `alignment`. */
  readonly targetBytes: number;
  readonly allows: Allowed;
}

/** A plan, and what was done to make it fit. */
export interface Fit {
  readonly steps: readonly PlanStep[];
  /** The most bytes of inner values alive at the same step: the least that was found where the target cannot be met. */
  readonly boundBytes: number;
  /** Kernels that run once more. */
  readonly recomputed: number;
  /** Arrays moved to main memory and back. */
  readonly offloaded: number;
  readonly offloadedBytes: number;
  /** What that costs in time, as a part of the step. */
  readonly extraCost: number;
}

/**
 * A plan of `steps` that has at most `targetBytes` of inner values in memory at once, or as few as it finds.
 *
 * Every node of the plan is made once. What is made again or moved back is a fresh node, a copy, and later readers name
 * it; a kernel that runs again is the same `Kernel`, and all that it stores are fresh inner nodes. An inner value that is
 * kept to the end is at the end under its own node. The same input gives the same plan.
 */
export function fitMemory(steps: readonly (readonly LoweredKernel[])[], options: FitOptions): Fit {
  const whole = new StepModel(steps, options);
  const { model, actions, boundBytes, extraCost } = findWay(whole, options.targetBytes, options.allows);
  const offloads = actions.filter((action): action is Action & { kind: "offload" } => action.kind === "offload");
  return {
    steps: writeSteps(model, actions),
    boundBytes,
    recomputed: actions.filter(({ kind }) => kind === "rerun").length,
    offloaded: offloads.length,
    offloadedBytes: offloads.reduce((sum, { value }) => sum + model.value(value).bytes, 0),
    extraCost: extraCost === 0 ? 0 : extraCost / whole.cost,
  };
}
