/** One recording of a compiled function: a plan, the leaves of its inputs, and the tensors that it shares with the outside. */
import { assert, present } from "../../base/assert.ts";
import { OptionError, OutOfMemoryError } from "../../base/errors.ts";
import type { Node } from "../compiler/ir.ts";
import type { DType } from "../layout/dtype.ts";
import { elementCount, formatShape } from "../layout/shape.ts";
import type { PlanReport } from "../runtime/plan-report.ts";
import type { StageWork } from "../runtime/leaf-work.ts";
import type { HostArray, OnStage, Plan, Runtime, Stages } from "../runtime/runtime.ts";
import { withGradMode } from "./grad-mode.ts";
import { checkHostArray, dtypeOfArray, valuesOf } from "./host-values.ts";
import type { TypedHostValues } from "./host-values.ts";
import { unwitnessed } from "./live-tensors.ts";
import { filled } from "./operands.ts";
import { withRuntime } from "./runtime-scope.ts";
import { Tensor } from "./tensor.ts";
import { isStateLeaf, readNode, Trace, withTrace } from "./trace.ts";
import type { TraceResult } from "./trace.ts";
import { createValue, isLeaf, ownLeaf, ownNewLeaf } from "./value.ts";

/** What a compiled function may return. */
export type TensorTree = Tensor | readonly Tensor[] | Readonly<Record<string, Tensor>>;

/** Inputs by name, in the order of their names. */
export type InputList = readonly (readonly [name: string, input: TypedHostValues | Tensor])[];

/** What a function is traced and compiled with, besides its inputs. */
export interface TraceOptions {
  /** Into how many parts `microBatched` cuts a batch where nobody says; 1 if left out. */
  readonly microBatches?: number;
  /** Of its results, by number; none if left out. */
  readonly stages?: Stages;
}

/** Told the values of a stage's results, row-major, in the stage's order. */
export type OnStageValues = (stage: number, values: readonly HostArray[]) => void;

type Copy = readonly [target: Node, value: Node];

/** Inputs of one signature can share a plan. */
export function inputSignature(list: InputList): string {
  return list.map(([name, input]) => `${name}: ${dtypeOf(input)}${formatShape(input.shape)}`).join("; ");
}

function dtypeOf(input: TypedHostValues | Tensor): DType {
  if (input instanceof Tensor) return input.dtype;
  return input.dtype ?? dtypeOfArray(input.data);
}

export class TracedPlan<Result extends TensorTree> {
  readonly #trace: Trace;
  readonly #runtime: Runtime;
  readonly #plan: Plan;
  readonly #inputs: readonly Node[];
  readonly #traced: TraceResult;
  readonly #result: Result;
  readonly #stages: Stages;
  /** Copies tensors into the inputs' leaves; kept while the same leaves come again. */
  #feed: { readonly copies: readonly Copy[]; readonly plan: Plan } | null = null;

  /** Into how many parts `microBatched` cuts a batch where nobody says. */
  get microBatches(): number {
    return this.#trace.microBatches;
  }

  private constructor(
    trace: Trace,
    plan: Plan,
    inputs: readonly Node[],
    traced: TraceResult,
    result: Result,
    stages: Stages,
  ) {
    this.#trace = trace;
    this.#runtime = trace.runtime;
    this.#plan = plan;
    this.#inputs = inputs;
    this.#traced = traced;
    this.#result = result;
    this.#stages = stages;
  }

  /**
   * Runs `fn` on the shapes of `list` and compiles what it did. Nothing outside changes if that fails. Where memory does
   * not suffice, what is `microBatched` is cut into twice as many parts, again and again.
   */
  static async trace<Names extends string, Result extends TensorTree>(
    fn: (inputs: Readonly<Record<Names, Tensor>>) => Result,
    list: InputList,
    runtime: Runtime,
    { microBatches = 1, stages = [] }: TraceOptions = {},
  ): Promise<TracedPlan<Result>> {
    const trace = new Trace(runtime, microBatches);
    try {
      return await TracedPlan.#traceOnce(fn, list, trace, stages);
    } catch (error) {
      const cut = cutFurther(error, trace);
      if (cut === null) throw error;
      try {
        return await TracedPlan.trace(fn, list, runtime, { microBatches: cut, stages });
      } catch (later) {
        throw smallerOf(error, later);
      }
    }
  }

  /** In how many micro-batches to trace again after `error`; null when that would not help. Counts that it is done. */
  cutAfter(error: unknown): number | null {
    return cutFurther(error, this.#trace);
  }

  static async #traceOnce<Names extends string, Result extends TensorTree>(
    fn: (inputs: Readonly<Record<Names, Tensor>>) => Result,
    list: InputList,
    trace: Trace,
    stages: Stages,
  ): Promise<TracedPlan<Result>> {
    const { runtime } = trace;
    const leaves: Node[] = [];
    let plan: Plan | null = null;
    const record = (): { returned: Result; nodes: Node[]; traced: TraceResult } => {
      const inputs = list.map(([name], i) => {
        const leaf = present(leaves[i], "compile: an input's leaf");
        return [name, new Tensor(createValue(leaf, { runtime, trace }))] as const;
      });
      const returned = fn(Object.fromEntries(inputs) as Record<Names, Tensor>);
      const nodes = tensorsOf(returned).map(readNode);
      return { returned, nodes, traced: trace.end((like) => filled(like.shape, 0, like.dtype)) };
    };
    try {
      for (const [, input] of list) leaves.push(runtime.leaf(input.shape, dtypeOf(input)));
      const { returned, nodes, traced } = unwitnessed(() =>
        withRuntime(runtime, () => withGradMode(true, () => withTrace(trace, record))),
      );
      plan = await runtime.compile(nodes, traced.updates, stages);
      await runCopies(runtime, traced.copies);
      traced.adopt();
      const { outputs } = plan;
      const results = unwitnessed(() => outputTensors(outputs, runtime));
      return new TracedPlan(trace, plan, leaves, traced, rebuilt(returned, results), stages);
    } catch (error) {
      plan?.destroy();
      trace.abandon();
      for (const leaf of leaves) runtime.release(leaf);
      throw error;
    }
  }

  /** False when something that the function looked at (a module's training mode) is not as it was. */
  holds(): boolean {
    return this.#traced.guards.every((guard) => guard());
  }

  /** Brings what was assigned outside since the last run into the plan's leaves; false when a new trace must do it. */
  async refresh(): Promise<boolean> {
    const moved = this.#traced.captures.filter(({ tensor, leaf }) => tensor.value.node !== leaf);
    if (moved.length === 0) return true;
    const settled = new Set(
      this.#traced.captures.filter((capture) => !moved.includes(capture)).map(({ leaf }) => leaf),
    );
    const copies: Copy[] = [];
    for (const { tensor, leaf } of moved) {
      const { node } = tensor.value;
      const isShared = settled.has(leaf) || copies.some(([target]) => target === leaf);
      if (isShared || isStateLeaf(node)) return false;
      copies.push([leaf, node]);
    }
    const values = moved.map(({ tensor }) => tensor.value);
    await runCopies(this.#runtime, copies);
    moved.forEach(({ leaf }, i) => {
      const value = present(values[i], "compile: a moved value");
      value.node = leaf;
      value.runtime = this.#runtime;
      ownLeaf(leaf, value);
    });
    return true;
  }

  async run(list: InputList): Promise<Result> {
    await this.#feedInputs(list);
    await this.#plan.run();
    return this.#ran();
  }

  async runStaged(list: InputList, onStage: OnStageValues): Promise<Result> {
    await this.#feedInputs(list);
    const { outputs } = this.#plan;
    await this.#plan.runStaged((stage, bytes) => {
      const values = (this.#stages[stage] ?? []).map((output, i) => {
        const { dtype, shape } = present(outputs[output], "compile: a result's leaf");
        return valuesOf(present(bytes[i], "compile: a result's bytes"), dtype, elementCount(shape));
      });
      onStage(stage, values);
    });
    return this.#ran();
  }

  /** As `runStaged`, but does `work` when a stage's results are there, and tells what it reads. */
  async runWorking(list: InputList, work: StageWork, onStage: OnStage): Promise<Result> {
    await this.#feedInputs(list);
    await this.#plan.runStaged(onStage, work);
    return this.#ran();
  }

  #ran(): Result {
    for (const effect of this.#traced.effects) effect();
    return this.#result;
  }

  async #feedInputs(list: InputList): Promise<void> {
    const copies: Copy[] = [];
    list.forEach(([name, input], i) => {
      const leaf = present(this.#inputs[i], "compile: an input's leaf");
      if (input instanceof Tensor) {
        copies.push([leaf, readNode(input)]);
      } else {
        checkHostArray(`compile: ${name}`, input.data, input.shape, leaf.dtype);
        this.#runtime.write(leaf, input.data);
      }
    });
    if (copies.length > 0) await this.#feedTensors(copies);
  }

  async #feedTensors(copies: readonly Copy[]): Promise<void> {
    const kept = this.#feed;
    if (kept !== null && kept.copies.every(([, node], i) => node === copies[i]?.[1])) {
      await kept.plan.run();
      return;
    }
    kept?.plan.destroy();
    this.#feed = null;
    if (!copies.every(([, node]) => isLeaf(node))) return runCopies(this.#runtime, copies);
    this.#feed = { copies, plan: await this.#runtime.compile([], copies) };
    await this.#feed.plan.run();
  }

  get scratchBytes(): number {
    return this.#plan.scratchBytes;
  }

  explain(): PlanReport {
    return this.#plan.explain();
  }

  /** Measures runs on the inputs of the last call, and gives what they overwrite its bytes back. */
  async profile(runs: number): Promise<void> {
    const runtime = this.#runtime;
    const leaves = new Set([...this.#traced.updates.map(([target]) => target), ...this.#plan.outputs]);
    const copies = [...leaves].map((leaf): Copy => [runtime.leaf(leaf.shape, leaf.dtype), leaf]);
    try {
      await runCopies(runtime, copies);
      try {
        await this.#plan.profile(runs);
      } finally {
        await runCopies(runtime, copies.map(([copy, leaf]): Copy => [leaf, copy])); // prettier-ignore
      }
    } finally {
      for (const [copy] of copies) runtime.release(copy);
    }
  }

  destroy(): void {
    this.#feed?.plan.destroy();
    this.#feed = null;
    this.#plan.destroy();
  }
}

/** Of two failures to fit, the one that needs less. */
function smallerOf(error: unknown, later: unknown): unknown {
  if (!(error instanceof OutOfMemoryError) || !(later instanceof OutOfMemoryError)) return later;
  return (error.smallestBudgetBytes ?? Infinity) < (later.smallestBudgetBytes ?? Infinity) ? error : later;
}

function cutFurther(error: unknown, { runtime, microBatches, microBatchesMax }: Trace): number | null {
  const isOutOfMemory = error instanceof OutOfMemoryError && runtime.cutsIntoMicroBatches;
  if (!isOutOfMemory || microBatches >= microBatchesMax) return null;
  runtime.noteMicroBatched();
  return Math.min(2 * microBatches, microBatchesMax);
}

async function runCopies(runtime: Runtime, copies: readonly Copy[]): Promise<void> {
  if (copies.length === 0) return;
  const plan = await runtime.compile([], copies);
  try {
    await plan.run();
  } finally {
    plan.destroy();
  }
}

function outputTensors(leaves: readonly Node[], runtime: Runtime): Tensor[] {
  return leaves.map((leaf) => {
    const value = createValue(leaf, { runtime });
    ownNewLeaf(leaf, value);
    return new Tensor(value);
  });
}

function tensorsOf(tree: TensorTree): Tensor[] {
  const isRecord = typeof tree === "object" && tree !== null && Object.getPrototypeOf(tree) === Object.prototype;
  const list: unknown[] = tree instanceof Tensor ? [tree] : Array.isArray(tree) ? tree : isRecord ? Object.values(tree) : [null]; // prettier-ignore
  if (!list.every((item) => item instanceof Tensor)) {
    throw new OptionError("compile: expected a function that returns tensors, found one that returns something else");
  }
  return list;
}

/** `tree` with its tensors, in order, replaced. */
function rebuilt<Result extends TensorTree>(tree: Result, tensors: readonly Tensor[]): Result {
  assert(tensors.length === tensorsOf(tree).length, "compile: as many outputs as were returned");
  if (tree instanceof Tensor) return tensors[0] as Tensor as Result & Tensor;
  if (Array.isArray(tree)) return tensors as unknown as Result;
  return Object.fromEntries(Object.keys(tree).map((name, i) => [name, tensors[i]])) as unknown as Result;
}
