/**
 * A function of tensors, recorded once for each set of input shapes as one plan, then replayed.
 *
 * Inputs are copied into fixed leaves. Tensors from outside that the function reads are leaves of the plan; those that
 * it assigns (parameters, optimizer state, a `.grad` that was there before) are its updates. What it returns are leaves
 * that the next call overwrites. Plain numbers are part of the code: what changes from call to call must be a tensor.
 * Lazy tensors outside that were computed from an updated one and not yet realized see the new values.
 */
import { OptionError } from "../../base/errors.ts";
import type { PlanReport } from "../runtime/plan-report.ts";
import type { Runtime } from "../runtime/runtime.ts";
import type { TypedHostValues } from "./host-values.ts";
import { currentRuntime } from "./runtime-scope.ts";
import type { Tensor } from "./tensor.ts";
import { currentTrace } from "./trace.ts";
import { inputSignature, TracedPlan } from "./traced-plan.ts";
import type { InputList, TensorTree } from "./traced-plan.ts";

/** What a compiled function is called with: host values or tensors of one name each. */
export type TensorInput = TypedHostValues | Tensor;

/** What the traced function gets: `compile(({ x, y }: Inputs<"x" | "y">) => ...)`. */
export type Inputs<Names extends string> = Readonly<Record<Names, Tensor>>;

/** What `compile` gives: called with inputs by name, it runs their plan, and makes it first where there is none. */
export interface CompiledFunction<Names extends string, Result extends TensorTree> {
  /** Runs the plan of these inputs' shapes. Calls run one after another, in their order. @throws what the function throws */
  (inputs?: Readonly<Record<Names, TensorInput>>): Promise<Result>;
  /** The graphs and kernels of each plan made so far; `explain(step)` makes a table of them. */
  explain(): readonly PlanReport[];
  /**
   * Measures the kernels of each plan, the middle of `runs` runs (5 by default), for later `explain`s. It runs them on
   * the inputs of the last call, and gives results and all that is assigned their bytes back, of which it keeps a copy
   * meanwhile.
   */
  profile(runs?: number): Promise<void>;
  /** Bytes of device memory that each plan holds for what is between inputs and results. */
  scratchBytes(): readonly number[];
  /** Into how many parts each plan cuts what is `microBatched`: 1 unless memory did not suffice for fewer. */
  microBatches(): readonly number[];
  /** Frees the plans. Results of earlier calls are gone with them. */
  destroy(): void;
}

/** Of a profile. */
const RUNS = 5;

/** Options of `compile`. */
export interface CompileOptions {
  /** Where it runs; the default one at the first call otherwise. */
  readonly runtime?: Runtime;
}

/** See the top of this file. `fn` is synchronous and does the same every time it is traced. */
export function compile<Names extends string = string, Result extends TensorTree = Tensor>(
  fn: (inputs: Inputs<Names>) => Result,
  options: CompileOptions = {},
): CompiledFunction<Names, Result> {
  const plans = new Map<string, TracedPlan<Result>[]>();
  let runtime = options.runtime;
  let last: Promise<unknown> = Promise.resolve();

  const run = async (list: InputList, on: Runtime): Promise<Result> => {
    const key = inputSignature(list);
    const known = plans.get(key) ?? [];
    plans.set(key, known);
    let microBatches = 1;
    for (const plan of known.filter((candidate) => candidate.holds())) {
      const isFresh = await plan.refresh();
      try {
        if (isFresh) return await plan.run(list);
        plan.destroy();
      } catch (error) {
        // The budget is smaller than it was: nothing has been computed. Somebody may still hold results of earlier runs.
        const cut = plan.cutAfter(error);
        if (cut === null) throw error;
        microBatches = cut;
      }
      known.splice(known.indexOf(plan), 1);
    }
    const plan = await TracedPlan.trace(fn, list, on, microBatches);
    known.push(plan);
    return plan.run(list);
  };

  const call = (inputs?: Readonly<Record<Names, TensorInput>>): Promise<Result> => {
    if (currentTrace() !== null) {
      return Promise.reject(
        new OptionError("compile: expected a call from outside, found one inside a compiled function"),
      );
    }
    runtime ??= currentRuntime("compile");
    const on = runtime;
    const list = Object.entries<TensorInput>(inputs ?? {}).sort(([a], [b]) => (a < b ? -1 : 1));
    const result = last.then(() => run(list, on));
    last = result.catch(() => {});
    return result;
  };

  const all = (): TracedPlan<Result>[] => [...plans.values()].flat();
  return Object.assign(call, {
    scratchBytes: () => all().map((plan) => plan.scratchBytes),
    microBatches: () => all().map((plan) => plan.microBatches),
    explain: () => all().map((plan) => plan.explain()),
    profile: (runs = RUNS) => {
      const measured = last.then(async () => {
        for (const plan of all()) await plan.profile(runs);
      });
      last = measured.catch(() => {});
      return measured;
    },
    destroy: () => {
      for (const plan of all()) plan.destroy();
      plans.clear();
    },
  });
}
