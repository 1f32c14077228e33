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
import type { StageWork } from "../runtime/leaf-work.ts";
import type { OnStage, Runtime, Stages } from "../runtime/runtime.ts";
import type { TypedHostValues } from "./host-values.ts";
import { currentRuntime } from "./runtime-scope.ts";
import type { Tensor } from "./tensor.ts";
import { currentTrace } from "./trace.ts";
import { inputSignature, TracedPlan } from "./traced-plan.ts";
import type { InputList, OnStageValues, TensorTree } from "./traced-plan.ts";

/** What a compiled function is called with: host values or tensors of one name each. */
export type TensorInput = TypedHostValues | Tensor;

/** What the traced function gets: `compile(({ x, y }: Inputs<"x" | "y">) => ...)`. */
export type Inputs<Names extends string> = Readonly<Record<Names, Tensor>>;

/** What `compile` gives: called with inputs by name, it runs their plan, and makes it first where there is none. */
export interface CompiledFunction<Names extends string, Result extends TensorTree> {
  /** Runs the plan of these inputs' shapes. Calls run one after another, in their order. @throws what the function throws */
  (inputs?: Readonly<Record<Names, TensorInput>>): Promise<Result>;
  /**
   * As a call, and reads the results: those of a stage (`CompileOptions.stages`) as soon as they are there, while what
   * the later ones need is computed. Each stage is told once; all have been when the result is there.
   * @throws OptionError without stages, and what the function throws
   */
  staged(inputs: Readonly<Record<Names, TensorInput>>, onStage: OnStageValues): Promise<Result>;
  /**
   * As `staged`, but reads nothing by itself: does `work` on the leaves of a stage's results when they are there, and
   * tells the bytes that it reads. @throws OptionError without stages, and what the function throws
   */
  working(inputs: Readonly<Record<Names, TensorInput>>, work: StageWork, onStage: OnStage): Promise<Result>;
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
  /**
   * Numbers of results (their places in what the function returns) that `staged` reads together; each result is in one
   * stage. What they need is not put off to the end, where small kernels would else be joined.
   */
  readonly stages?: Stages;
}

/** How a call begins with the plan for its inputs. */
type Start<Result extends TensorTree> = (plan: TracedPlan<Result>, list: InputList) => Promise<Result>;

/** What a function has been compiled to: plans by the shapes and types of inputs, used one after another. */
class Plans<Result extends TensorTree> {
  readonly #fn: (inputs: Inputs<string>) => Result;
  readonly #stages: Stages;
  readonly #plans = new Map<string, TracedPlan<Result>[]>();
  #runtime: Runtime | undefined;
  #last: Promise<unknown> = Promise.resolve();

  constructor(fn: (inputs: Inputs<string>) => Result, { runtime, stages = [] }: CompileOptions) {
    this.#fn = fn;
    this.#stages = stages;
    this.#runtime = runtime;
  }

  get all(): TracedPlan<Result>[] {
    return [...this.#plans.values()].flat();
  }

  /** When what was asked before is done. */
  begin(inputs: Readonly<Record<string, TensorInput>>, start: Start<Result>): Promise<Result> {
    if (currentTrace() !== null) {
      return Promise.reject(
        new OptionError("compile: expected a call from outside, found one inside a compiled function"),
      );
    }
    const on = (this.#runtime ??= currentRuntime("compile"));
    const list = Object.entries<TensorInput>(inputs).sort(([a], [b]) => (a < b ? -1 : 1));
    return this.inTurn(() => this.#run(list, on, start));
  }

  beginStaged(inputs: Readonly<Record<string, TensorInput>>, start: Start<Result>): Promise<Result> {
    if (this.#stages.length > 0) return this.begin(inputs, start);
    return Promise.reject(new OptionError("compile: expected stages in the options of a staged call, found none"));
  }

  inTurn<T>(work: () => Promise<T>): Promise<T> {
    const result = this.#last.then(work);
    this.#last = result.catch(() => {});
    return result;
  }

  destroy(): void {
    for (const plan of this.all) plan.destroy();
    this.#plans.clear();
  }

  async #run(list: InputList, on: Runtime, start: Start<Result>): Promise<Result> {
    const key = inputSignature(list);
    const known = this.#plans.get(key) ?? [];
    this.#plans.set(key, known);
    let microBatches = 1;
    for (const plan of known.filter((candidate) => candidate.holds())) {
      const isFresh = await plan.refresh();
      try {
        if (isFresh) return await start(plan, list);
        plan.destroy();
      } catch (error) {
        // The budget is smaller than it was: nothing has been computed. Somebody may still hold results of earlier runs.
        const cut = plan.cutAfter(error);
        if (cut === null) throw error;
        microBatches = cut;
      }
      known.splice(known.indexOf(plan), 1);
    }
    const plan = await TracedPlan.trace(this.#fn, list, on, { microBatches, stages: this.#stages });
    known.push(plan);
    return start(plan, list);
  }
}

/** See the top of this file. `fn` is synchronous and does the same every time it is traced. */
export function compile<Names extends string = string, Result extends TensorTree = Tensor>(
  fn: (inputs: Inputs<Names>) => Result,
  options: CompileOptions = {},
): CompiledFunction<Names, Result> {
  type Given = Readonly<Record<Names, TensorInput>>;
  const plans = new Plans<Result>(fn as (inputs: Inputs<string>) => Result, options);
  const call = (inputs?: Given): Promise<Result> => plans.begin(inputs ?? {}, (plan, list) => plan.run(list));
  return Object.assign(call, {
    staged: (inputs: Given, onStage: OnStageValues) =>
      plans.beginStaged(inputs, (plan, list) => plan.runStaged(list, onStage)),
    working: (inputs: Given, work: StageWork, onStage: OnStage) =>
      plans.beginStaged(inputs, (plan, list) => plan.runWorking(list, work, onStage)),
    scratchBytes: () => plans.all.map((plan) => plan.scratchBytes),
    microBatches: () => plans.all.map((plan) => plan.microBatches),
    explain: () => plans.all.map((plan) => plan.explain()),
    profile: (runs = RUNS) =>
      plans.inTurn(async () => {
        for (const plan of plans.all) await plan.profile(runs);
      }),
    destroy: () => plans.destroy(),
  });
}
