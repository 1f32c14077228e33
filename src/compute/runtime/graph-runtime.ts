/** The runtime of one device: graphs in, buffers out. See `runtime.ts`. */
import { assert, present } from "../../base/assert.ts";
import { systemClock, type Clock } from "../../base/clock.ts";
import { OptionError, type DeviceLostError } from "../../base/errors.ts";
import type { Bytes } from "../../base/bytes.ts";
import type { Node, Shape } from "../compiler/ir.ts";
import type { Choices } from "../compiler/tuning/choices.ts";
import { lower, type Lowered } from "../compiler/lower.ts";
import { LoweringCache } from "../compiler/lowering-cache.ts";
import type { LoweredKernel } from "../compiler/lower-region.ts";
import type { Command, Device, DeviceBuffer, Recording } from "../device/device.ts";
import type { DType } from "../layout/dtype.ts";
import { PAGE_BYTES } from "../memory/pages.ts";
import type { MemoryKind, MemorySnapshot } from "../memory/snapshot.ts";
import { yieldByMessage } from "../device/yielding.ts";
import { Collector, SLACK_BYTES } from "./collector.ts";
import { CompiledPlan } from "./compiled-plan.ts";
import { LastingDevice } from "./lasting-device.ts";
import { leavesOfWork, LeafWorker, sharedReads, writtenByWork, type LeafWork } from "./leaf-work.ts";
import { bytesOfNode, isLeaf, type Leaves } from "./leaves.ts";
import { Pressure, type PressureAnswer } from "./pressure.ts";
import { runSegments, segmentsOf } from "./program.ts";
import type { HostArray, Plan, Runtime, RuntimeMemory, Stages } from "./runtime.ts";
import { RuntimeTuning } from "./runtime-tuning.ts";

/** What a leaf of an eager step stands for in the JavaScript heap: its share of the step's graph and tensors, roughly. */
const GRAPH_BYTES = 16 * 2 ** 10;
const ANSWERS: readonly PressureAnswer[] = ["recompute", "offload", "microBatches"];
/** Less than this holds no slab and no tables. */
const BUDGET_BYTES_MIN = 2 ** 18;

/** A runtime that owns `device`'s memory, but not the device itself. */
export function createRuntime(device: Device, options: RuntimeOptions = {}): Runtime {
  return new GraphRuntime(device, options);
}

export interface RuntimeOptions {
  /**
   * Live bytes, and 16 KiB for each leaf, may be this much above 1.5 times what was alive after the last collection
   * before computing waits for another one. 64 MiB by default.
   */
  readonly slackBytes?: number;
  /** What is known of the device's speed; nothing unless told. */
  readonly tuning?: RuntimeTuning;
  /** What may be taken from the device; no limit unless told. */
  readonly memoryBudgetBytes?: number;
  /** What may be done when that is not enough; all unless told. */
  readonly pressure?: readonly PressureAnswer[];
  /**
   * Opens another device when this one is lost: then all work goes on there, with the same results. It costs a copy of
   * what tensors hold in main memory, and up to 2 % of the time. Without it a lost device is an error.
   */
  readonly reopen?: (lostBy: DeviceLostError) => Promise<Device>;
  readonly clock?: Clock;
}

class GraphRuntime implements Runtime {
  readonly lost: Promise<DeviceLostError>;
  #tuning: RuntimeTuning;
  readonly #lasting: LastingDevice;
  readonly #leaves: Leaves;
  readonly #pressure: Pressure;
  readonly #lowerings = new LoweringCache();
  readonly #collector: Collector;
  readonly #allows: ReadonlySet<PressureAnswer>;
  readonly #plans = new Set<WeakRef<CompiledPlan>>();
  /** Frees what plans held that nobody can run any more. */
  readonly #unreachablePlans = new FinalizationRegistry<CompiledPlan["holds"]>(({ tables, memory }) => {
    if (memory === this.#lasting.now.memory) for (const table of tables) memory.give(table);
  });
  /** Work that needs arrays to stay where they are: one at a time. */
  #last: Promise<unknown> = Promise.resolve();
  #atWork = 0;

  constructor(device: Device, options: RuntimeOptions) {
    const { slackBytes = SLACK_BYTES, tuning, memoryBudgetBytes = Infinity, pressure = ANSWERS } = options;
    const { clock = systemClock, reopen = null } = options;
    checkBudget(memoryBudgetBytes);
    this.#tuning = tuning ?? new RuntimeTuning(device.info);
    this.#allows = new Set(pressure);
    this.#lasting = new LastingDevice({
      device,
      budgetBytes: memoryBudgetBytes,
      reopen,
      clock,
      onOther: (info) => (this.#tuning = new RuntimeTuning(info)),
    });
    this.lost = this.#lasting.givenUp;
    this.#leaves = this.#lasting.leaves;
    this.#collector = new Collector(
      () => this.#lasting.now.memory.liveBytes + this.#leaves.count * GRAPH_BYTES,
      () => this.#leaves.sweep(),
      slackBytes,
      yieldByMessage,
    );
    this.#pressure = new Pressure({
      memory: () => this.#lasting.now.memory,
      leaves: this.#leaves,
      allows: this.#allows,
      submit: (commands) => this.#submit(commands),
      read: (leaves) => this.#lasting.readResident(leaves),
      collect: () => this.#collector.collect(),
    });
  }

  get tuning(): RuntimeTuning {
    return this.#tuning;
  }

  get device(): Device {
    return this.#lasting.now.device;
  }

  get memory(): RuntimeMemory {
    const { memory } = this.#lasting.now;
    return {
      liveBytes: memory.liveBytes,
      pooledBytes: memory.takenBytes - memory.liveBytes,
      peakBytes: memory.peakBytes,
    };
  }

  get isDestroyed(): boolean {
    return this.#lasting.isDestroyed;
  }

  get cutsIntoMicroBatches(): boolean {
    return this.#allows.has("microBatches");
  }

  leaf(shape: Shape, dtype: DType, data?: HostArray): Node {
    this.#checkAlive();
    return this.#leaves.create(shape, dtype, data);
  }

  write(leaf: Node, data: HostArray): void {
    this.#leaves.write(leaf, data);
  }

  async realize(nodes: readonly Node[]): Promise<Node[]> {
    this.#checkAlive();
    return await this.#exclusive(() => this.#realize(nodes));
  }

  async read(nodes: readonly Node[]): Promise<Bytes[]> {
    this.#checkAlive();
    return await this.#exclusive(async () => {
      const leaves = await this.#realize(nodes);
      try {
        return await this.#readLeaves(leaves);
      } finally {
        for (const leaf of new Set(leaves)) if (!nodes.includes(leaf)) this.#leaves.release(leaf);
      }
    });
  }

  async compile(
    outputs: readonly Node[],
    updates: readonly (readonly [Node, Node])[],
    stages: Stages = [],
  ): Promise<Plan> {
    this.#checkAlive();
    checkStages(stages, outputs.length);
    return await this.#exclusive(() => this.#compile(outputs, updates, stages));
  }

  async work(work: LeafWork): Promise<Bytes[]> {
    this.#checkAlive();
    return await this.#exclusive(async () => {
      await this.#relieved();
      const worker = await this.#submitWork(work);
      this.#lasting.noteWork(writtenByWork(work), async () => void (await this.#submitWork(work)));
      return await worker.read(work);
    });
  }

  release(leaf: Node): void {
    this.#leaves.release(leaf);
  }

  setBudget(bytes: number | null): void {
    checkBudget(bytes ?? Infinity);
    this.#lasting.now.memory.budgetBytes = bytes ?? Infinity;
  }

  noteMicroBatched(): void {
    this.#pressure.counts.microBatched += 1;
  }

  snapshot(kinds: ReadonlyMap<Node, MemoryKind> = new Map()): MemorySnapshot {
    for (const [leaf, kind] of kinds) this.#leaves.label(leaf, kind);
    const { memory } = this.#lasting.now;
    const plans = [...this.#plans].map((plan) => plan.deref()).filter((plan) => plan?.isBound === true);
    const most = (of: (plan: CompiledPlan) => number): number =>
      plans.reduce((bytes, plan) => Math.max(bytes, plan === undefined ? 0 : of(plan)), 0);
    return {
      pageBytes: PAGE_BYTES,
      ...memory.pages.snapshot(),
      budgetBytes: Number.isFinite(memory.budgetBytes) ? memory.budgetBytes : null,
      takenBytes: memory.takenBytes,
      usedBytes: memory.usedBytes,
      requestedBytes: memory.liveBytes + memory.scratchBytes,
      peakBytes: memory.peakBytes,
      plannedBytes: most((plan) => plan.plannedBytes),
      boundBytes: most((plan) => plan.boundBytes),
      fragmentation: memory.pages.fragmentation,
      hostBytes: this.#leaves.hostBytes,
      moves: memory.moved,
      pressure: { ...this.#pressure.counts },
      deviceLosses: this.#lasting.losses,
    };
  }

  destroy(): void {
    this.#lasting.destroy();
  }

  async #realize(nodes: readonly Node[]): Promise<Node[]> {
    this.#checkAlive();
    const missing = nodes.filter((node) => !isLeaf(node));
    if (missing.length === 0) return [...nodes];
    await this.#relieved();
    const lowered = this.#lower(missing);
    // Outputs of the graph that turned out equal share a leaf. One that turned out to be a leaf is copied: its bytes are
    // the caller's, and may be overwritten or released.
    const results = await this.#resultsOf(lowered.outputs, leavesOf(lowered));
    try {
      await this.#compute(lowered, results);
    } catch (error) {
      for (const leaf of results.values()) this.#leaves.release(leaf);
      throw error;
    }
    const made = lowered.outputs.map((node) => present(results.get(node), "realize: a result"));
    this.#lasting.noteWork(made, async () => {
      const again = this.#lower(missing);
      await this.#compute(
        again,
        new Map(again.outputs.map((node, i) => [node, present(made[i], "realize: a result")])),
      );
    });
    const byNode = new Map(missing.map((node, i) => [node, made[i] ?? node]));
    return nodes.map((node) => byNode.get(node) ?? node);
  }

  /** Computes the outputs of `lowered` into the leaves that `results` has for them. */
  async #compute(lowered: Lowered, results: ReadonlyMap<Node, Node>): Promise<void> {
    const kernels = lowered.kernels.map((lowered) => ({ ...lowered, kernel: sharedReads(lowered.kernel) }));
    const compiled = await this.#lasting.now.kernels.getAll(kernels.map(({ kernel }) => kernel));
    this.#checkAlive();
    const made = new Map(kernels.map(({ kernel }, i) => [kernel, present(compiled[i], "realize: a compiled kernel")]));
    const placed = await this.#pressure.place({
      what: "computing tensors",
      steps: kernels.map((kernel) => [kernel]),
      leaves: new Set([...leavesOf(lowered), ...results.values()]),
      isInner: (node) => !isLeaf(node) && !results.has(node),
      keptToEnd: new Set(),
      runsOnce: true,
      overwrites: new Map(),
    });
    const bufferOf = (node: Node): DeviceBuffer => {
      const leaf = isLeaf(node) ? node : results.get(node);
      return leaf === undefined ? present(placed.buffers.get(node), "realize: a value") : this.#leaves.bufferOf(leaf);
    };
    const commandsOf = (step: { readonly kernels: readonly LoweredKernel[] }): Command[] =>
      step.kernels.map(({ kernel, outputs, inputs }) => ({
        kind: "dispatch",
        kernel: present(made.get(kernel), "realize: a compiled kernel"),
        buffers: [...outputs, ...inputs].map(bufferOf),
      }));
    const copies = [...results].flatMap(([stored, result]) => (isLeaf(stored) ? this.#copy(stored, result) : []));
    const segments = segmentsOf(this.device, placed, commandsOf, { before: [], after: copies });
    await runSegments(this.device, segments, (recording) => this.#submitRecording(recording));
  }

  async #submitWork(work: LeafWork): Promise<LeafWorker> {
    const worker = await LeafWorker.create(this.#lasting.now, [work], (leaf) => this.#leaves.bufferOf(leaf));
    const leaves = new Set(leavesOfWork(work));
    for (const leaf of leaves) this.#leaves.use(leaf);
    const nothing = { steps: [], keptToEnd: new Set<Node>(), overwrites: new Map<Node, Node>(), isInner: () => false };
    await this.#pressure.place({ what: "work on tensors", leaves, runsOnce: true, ...nothing });
    worker.submit(work, (commands) => this.#submit(commands));
    return worker;
  }

  /** A new leaf for each of `stored`, however often it is named. */
  async #resultsOf(stored: readonly Node[], kept: ReadonlySet<Node>): Promise<Map<Node, Node>> {
    const results = new Map<Node, Node>();
    try {
      for (const node of stored) {
        if (results.has(node)) continue;
        const all = new Set([...kept, ...results.values()]);
        const bytes = bytesOfNode(node);
        results.set(
          node,
          await this.#pressure.room("computing tensors", bytes, all, () => this.#leaves.createLike(node)),
        );
      }
      return results;
    } catch (error) {
      for (const leaf of results.values()) this.#leaves.release(leaf);
      throw error;
    }
  }

  async #compile(outputs: readonly Node[], updates: readonly (readonly [Node, Node])[], stages: Stages): Promise<Plan> {
    this.#checkAlive();
    await this.#relieved();
    const asked = [...outputs, ...updates.map(([, value]) => value)];
    // A plan is explained by what it was made with, whatever is measured later.
    const { answers } = this.tuning;
    let known: Lowered | null = this.#lower(asked, outputs.length);
    const stored = known.outputs.slice(0, outputs.length);
    const results = await this.#resultsOf(stored, new Set(updates.map(([target]) => target)));
    const token = {};
    const plan = new CompiledPlan({
      on: () => this.#lasting.now,
      submit: (recording) => this.#submitRecording(recording),
      leaves: this.#leaves,
      place: (program) => this.#pressure.place(program),
      exclusive: (work) => this.#exclusive(work),
      isBusy: () => this.#atWork > 0 || this.#lasting.isDue,
      onRun: (run, works) =>
        this.#lasting.noteWork([...run.computed, ...works.flatMap(writtenByWork)], () => run.runAgain(works)),
      asked,
      lower: () => {
        const lowered = known ?? this.#lower(asked, outputs.length);
        known = null;
        return lowered;
      },
      lowerAgain: () => this.#lowerNew(asked, outputs.length, answers),
      outputs: stored.map((node) => present(results.get(node), "compile: the leaf of an output")),
      targets: updates.map(([target]) => target),
      stages,
      onDestroy: () => this.#unreachablePlans.unregister(token),
    });
    try {
      await plan.prepare();
      this.#checkAlive();
    } catch (error) {
      if (!this.#lasting.isDestroyed) plan.destroy();
      throw error;
    }
    this.#unreachablePlans.register(plan, plan.holds, token);
    this.#notePlan(plan);
    return plan;
  }

  #notePlan(plan: CompiledPlan): void {
    for (const known of this.#plans) if (known.deref()?.isBound !== true) this.#plans.delete(known);
    this.#plans.add(new WeakRef(plan));
  }

  async #readLeaves(leaves: readonly Node[]): Promise<Bytes[]> {
    const distinct = [...new Set(leaves)];
    const away = distinct.filter((leaf) => !this.#leaves.isResident(leaf));
    const here = distinct.filter((leaf) => this.#leaves.isResident(leaf));
    const read = await this.#lasting.readResident(here);
    const bytes = new Map(here.map((leaf, i) => [leaf, present(read[i], "read: bytes")]));
    for (const leaf of away) bytes.set(leaf, this.#leaves.hostBytesOf(leaf));
    return leaves.map((leaf) => present(bytes.get(leaf), "read: the bytes of a leaf").slice());
  }

  #copy(from: Node, to: Node): Command[] {
    const [source, target, bytes] = [this.#leaves.bufferOf(from), this.#leaves.bufferOf(to), bytesOfNode(from)];
    return bytes === 0 ? [] : [{ kind: "copy", source, sourceOffset: 0, target, targetOffset: 0, bytes }];
  }

  async #relieved(): Promise<void> {
    await this.#pressure.settle();
    const wait = this.#collector.relieve();
    if (wait === null) return;
    await wait;
    this.#checkAlive();
  }

  /** One after another, in the order asked for; again, if the device was lost and there is another. */
  async #exclusive<T>(work: () => Promise<T>): Promise<T> {
    this.#atWork += 1;
    const result = this.#last.then(() => this.#lasting.surviving(work));
    this.#last = result.catch(() => {});
    try {
      return await result;
    } finally {
      this.#atWork -= 1;
    }
  }

  #submit(commands: readonly Command[]): void {
    if (commands.length > 0) this.#submitRecording(this.device.record(commands));
  }

  #submitRecording(recording: Recording): void {
    this.tuning.noteSubmit();
    this.device.submit(recording);
  }

  #lower(nodes: readonly Node[], updatesFrom = nodes.length): Lowered {
    const condition = `${this.device.info.name} ${updatesFrom} ${this.tuning.version}`;
    return this.#lowerings.get(nodes, condition, () => this.#lowerNew(nodes, updatesFrom));
  }

  #lowerNew(nodes: readonly Node[], updatesFrom: number, choices: Choices = this.tuning): Lowered {
    const { info } = this.device;
    return lower(nodes, info.limits.bindingsMax, { choices, updatesFrom, traits: info });
  }

  #checkAlive(): void {
    assert(!this.#lasting.isDestroyed, "runtime: expected one that is not destroyed");
  }
}

/** Leaves that kernels read, or that are results as they are. */
function leavesOf({ kernels, outputs }: Lowered): Set<Node> {
  return new Set([...kernels.flatMap(({ inputs }) => inputs), ...outputs].filter(isLeaf));
}

/** @throws OptionError unless there are none, or each output is in one of them */
function checkStages(stages: Stages, outputs: number): void {
  const named = stages.flat().sort((a, b) => a - b);
  if (stages.length === 0 || (named.length === outputs && named.every((output, at) => output === at))) return;
  throw new OptionError(`compile: expected each of ${outputs} outputs in one stage, found ${named.join(", ")}`);
}

/** @throws OptionError */
function checkBudget(bytes: number): void {
  if (bytes >= BUDGET_BYTES_MIN) return;
  throw new OptionError(`memory budget: expected at least ${BUDGET_BYTES_MIN} bytes, found ${bytes}`);
}
