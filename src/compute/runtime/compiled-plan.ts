/** A graph compiled for its leaves: commands recorded once, to be submitted many times. */
import { assert, present } from "../../base/assert.ts";
import { bytesOf } from "../../base/bytes.ts";
import { OutOfMemoryError } from "../../base/errors.ts";
import type { Node } from "../compiler/ir.ts";
import type { Lowered } from "../compiler/lower.ts";
import type { Command, Device, DeviceBuffer, DeviceKernel, Recording } from "../device/device.ts";
import type { Allocation } from "../memory/pages.ts";
import { dispatchesOf, type Dispatch } from "./assembly.ts";
import type { DeviceMemory } from "./device-memory.ts";
import type { OnDevice } from "./lasting-device.ts";
import { leavesOfWork, LeafWorker, type LeafWork, type StageWork } from "./leaf-work.ts";
import { bytesOfNode, isLeaf, type Leaves } from "./leaves.ts";
import { lowerPlan, type PlanLowering, type PlanRequest } from "./plan-lowering.ts";
import type { PlanReport } from "./plan-report.ts";
import { middleMeans } from "./middle-means.ts";
import { readyStages, runSegments, segmentsOf, type Placed, type Program, type Segment } from "./program.ts";
import { reportPlan } from "./report-plan.ts";
import type { OnStage, Plan } from "./runtime.ts";

export interface PlanParts extends PlanRequest {
  /** The device of now. */
  readonly on: () => OnDevice;
  readonly submit: (recording: Recording) => void;
  readonly leaves: Leaves;
  readonly place: (program: Program) => Promise<Placed>;
  /** Runs `work` alone; null when nobody else is at work, and `isReady` may be asked at once. */
  readonly exclusive: <T>(work: () => Promise<T>) => Promise<T>;
  readonly isBusy: () => boolean;
  /** The graph as it was asked for: outputs, then the values of the updates. */
  readonly asked: readonly Node[];
  /** `lower`, made once more without what is remembered of graphs. */
  readonly lowerAgain: () => Lowered;
  /** Told after each run, with what was done beside it. */
  readonly onRun: (plan: CompiledPlan, works: readonly LeafWork[]) => void;
  readonly onDestroy: () => void;
}

/** A plan that has its memory. */
interface Bound {
  readonly device: Device;
  readonly generation: number;
  readonly placed: Placed;
  readonly dispatches: readonly Dispatch[];
  readonly tables: readonly Allocation[];
  readonly segments: readonly Segment[];
}

export class CompiledPlan implements Plan {
  readonly outputs: readonly Node[];
  readonly #parts: PlanParts;
  /** What it holds of device memory besides leaves, for whoever has to free it when nobody can reach the plan. */
  readonly holds: { tables: readonly Allocation[]; memory: DeviceMemory | null } = { tables: [], memory: null };
  #lowering: PlanLowering | null = null;
  #bound: Bound | null = null;
  /** Leaves that have to be on the device with its own: of what is done when its stages are there. */
  #beside: ReadonlySet<Node> = new Set();
  /** In the last profile. */
  #kernelMs: readonly (number | null)[] = [];
  #isDestroyed = false;

  constructor(parts: PlanParts) {
    this.#parts = parts;
    this.outputs = parts.outputs;
  }

  /** False when it has no memory of its own now. */
  get isBound(): boolean {
    return this.#bound !== null;
  }

  /** Bytes of the layout of its inner values. */
  get plannedBytes(): number {
    return this.#ready().placed.plannedBytes;
  }

  get scratchBytes(): number {
    const { placed, dispatches } = this.#ready();
    return placed.plannedBytes + dispatches.reduce((sum, { table }) => sum + (table?.byteLength ?? 0), 0);
  }

  /** See `Placed`. */
  get boundBytes(): number {
    return this.#ready().placed.boundBytes;
  }

  async run(): Promise<void> {
    this.#checkUsable();
    const isReady = !this.#parts.isBusy() && this.#isBound() && this.#ready().segments.length <= 1;
    if (isReady) void this.#submit(this.#ready());
    else await this.#parts.exclusive(() => this.#prepareAndRun());
    if (isReady) this.#parts.onRun(this, []);
  }

  async runStaged(onStage: OnStage, workOf: StageWork = readOutputs): Promise<void> {
    this.#checkUsable();
    const { exclusive, stages, onRun } = this.#parts;
    const works = stages.map((outputs, stage) =>
      workOf(
        stage,
        outputs.map((at) => present(this.outputs[at], "plan: an output")),
      ),
    );
    // A device may be lost in between: what was told stays told.
    const told = new Set<number>();
    await exclusive(async () => {
      const worker = await this.#prepareFor(works);
      const reads: Promise<void>[] = [];
      const tell = async (stage: number): Promise<void> => {
        const bytes = await worker.read(present(works[stage], "plan: a stage"));
        if (told.has(stage)) return;
        told.add(stage);
        onStage(stage, bytes);
      };
      try {
        await this.#submitStaged(worker, works, (stage) => {
          const reading = tell(stage);
          reading.catch(() => {}); // Awaited below, when all is submitted.
          reads.push(reading);
        });
        await Promise.all(reads);
      } finally {
        await Promise.allSettled(reads);
      }
      onRun(this, works);
    });
  }

  /** Runs as it ran before, on a device that replaces the one of then; a plan that was destroyed since, too. */
  async runAgain(works: readonly LeafWork[]): Promise<void> {
    const worker = await this.#prepareFor(works);
    await this.#submitStaged(worker, works, () => {});
    if (this.#isDestroyed) this.#unbind();
  }

  /** Submits all stages, each with its work after it, and tells when one is submitted. */
  async #submitStaged(
    worker: LeafWorker,
    works: readonly LeafWork[],
    onSubmitted: (stage: number) => void,
  ): Promise<void> {
    const { device, segments } = this.#ready();
    await runSegments(device, segments, this.#parts.submit, (stages) => {
      for (const stage of stages) {
        const work = works[stage];
        if (work !== undefined) worker.submit(work, (commands) => this.#parts.submit(device.record(commands)));
        onSubmitted(stage);
      }
    });
  }

  /** Makes the plan ready, and what is done beside it: all leaves on the device, kernels compiled. */
  async #prepareFor(works: readonly LeafWork[]): Promise<LeafWorker> {
    const { leaves } = this.#parts;
    const worker = await LeafWorker.create(this.#parts.on(), works, (leaf) => leaves.bufferOf(leaf));
    this.#beside = new Set(works.flatMap(leavesOfWork));
    for (const leaf of this.#beside) leaves.use(leaf);
    if (![...this.#beside].every((leaf) => leaves.isResident(leaf))) this.#unbind();
    await this.#bind();
    return worker;
  }

  /** Leaves that a run computes. */
  get computed(): readonly Node[] {
    return [...this.outputs, ...this.#parts.targets];
  }

  /** Makes kernels, memory and commands ready for the device and the places of now. Only while nobody else is at work. */
  async prepare(): Promise<void> {
    this.#checkUsable();
    await this.#bind();
  }

  async #bind(): Promise<void> {
    while (!this.#isBound()) {
      const { device, memory, kernels } = this.#parts.on();
      if (this.#lowering?.device !== device) this.#lowering = lowerPlan(device, this.#parts);
      const { program, leafOf } = this.#lowering;
      this.#unbind();
      const placed = await this.#parts.place({ ...program, leaves: new Set([...program.leaves, ...this.#beside]) });
      const { generation } = memory;
      const { leaves } = this.#parts;
      const bufferOf = (node: Node): DeviceBuffer => {
        const leaf = isLeaf(node) && !placed.buffers.has(node) ? node : leafOf.get(node);
        return leaf === undefined
          ? present(placed.buffers.get(node), "plan: memory of a value")
          : leaves.bufferOf(leaf);
      };
      const dispatches = new Map(
        placed.steps.map((step) => [
          step,
          step.kind === "compute" ? dispatchesOf(step.kernels, bufferOf, device.info.limits) : [],
        ]),
      );
      const all = [...dispatches.values()].flat();
      const compiled = await kernels.getAll(all.map(({ kernel }) => kernel));
      if (memory.generation !== generation || this.#parts.on().device !== device) continue;
      const tables = this.#makeTables(memory, all);
      const made = new Map(all.map((dispatch, i) => [dispatch, commandOf(dispatch, compiled[i], tables.get(dispatch), memory)])); // prettier-ignore
      const segments = segmentsOf(
        device,
        placed,
        (step) => (dispatches.get(step) ?? []).map((dispatch) => present(made.get(dispatch), "plan: a command")),
        this.#copies(this.#lowering, bufferOf),
        readyStages(placed.steps, this.#stageValues(this.#lowering)),
      );
      this.#bound = { device, generation, placed, dispatches: all, tables: [...tables.values()], segments };
      Object.assign(this.holds, { tables: this.#bound.tables, memory });
    }
  }

  async profile(runs: number = 1): Promise<readonly (number | null)[]> {
    const all: (readonly (number | null)[])[] = [];
    for (let run = 0; run < runs; run++) {
      this.#checkUsable();
      all.push(
        await this.#parts.exclusive(async () => {
          await this.prepare();
          const ms = await this.#measure(this.#ready());
          this.#parts.onRun(this, []);
          return ms;
        }),
      );
    }
    this.#kernelMs = middleMeans(all, this.#ready().dispatches.length);
    return this.#kernelMs;
  }

  explain(): PlanReport {
    const { asked, lowerAgain } = this.#parts;
    const { lowered } = present(this.#lowering, "plan: its kernels");
    // What is kept of a graph that came before is its kernels, without what they were made of.
    const again = lowerAgain();
    const places = new Map(lowered.kernels.map(({ kernel }, at) => [kernel, at]));
    const dispatches = this.#ready().dispatches.map(({ kernel, parts }) => {
      const own = parts.map((part) => again.kernels[places.get(part.kernel) ?? -1]);
      return { kernel, parts: own.filter((part) => part !== undefined) };
    });
    const { scratchBytes } = this;
    return reportPlan({ asked, outputs: again.outputs, dispatches, scratchBytes, ms: this.#kernelMs });
  }

  destroy(): void {
    if (this.#isDestroyed) return;
    this.#isDestroyed = true;
    this.#unbind();
    for (const leaf of this.outputs) this.#parts.leaves.release(leaf);
    this.#parts.onDestroy();
  }

  async #prepareAndRun(): Promise<void> {
    await this.prepare();
    await this.#submit(this.#ready());
    this.#parts.onRun(this, []);
  }

  #isBound(): boolean {
    const { device, memory } = this.#parts.on();
    const bound = this.#bound;
    return bound?.device === device && bound.generation === memory.generation && memory.overBytes === 0;
  }

  #ready(): Bound {
    return present(this.#bound, "plan: its memory");
  }

  #stageValues({ lowered }: PlanLowering): Set<Node>[] {
    const valueOf = (output: number): Node => present(lowered.outputs[output], "plan: an output");
    return this.#parts.stages.map((outputs) => new Set(outputs.map(valueOf)));
  }

  #submit({ device, segments }: Bound): Promise<void> | null {
    return runSegments(device, segments, this.#parts.submit);
  }

  async #measure({ device, segments }: Bound): Promise<(number | null)[]> {
    const ms: (number | null)[] = [];
    for (const segment of segments) {
      if (segment.kind !== "commands") continue;
      const times = await device.measure(segment.recording);
      ms.push(...times.filter((_, at) => segment.commands[at]?.kind === "dispatch"));
    }
    return ms;
  }

  #unbind(): void {
    const { memory } = this.#parts.on();
    if (this.#bound !== null && this.holds.memory === memory)
      for (const table of this.#bound.tables) memory.give(table);
    this.#bound = null;
    Object.assign(this.holds, { tables: [], memory: null });
  }

  #makeTables(memory: DeviceMemory, dispatches: readonly Dispatch[]): Map<Dispatch, Allocation> {
    const tables = new Map<Dispatch, Allocation>();
    for (const dispatch of dispatches) {
      if (dispatch.table === undefined) continue;
      const table = memory.takeTable(dispatch.table.byteLength);
      if (table === undefined) {
        for (const made of tables.values()) memory.give(made);
        throw new OutOfMemoryError("a compiled step: expected room for the tables of its kernels, found none", {
          smallestBudgetBytes: memory.takenBytes + dispatch.table.byteLength,
          holders: [],
        });
      }
      tables.set(dispatch, table);
      this.#parts.on().device.write(memory.bufferOf(table), bytesOf(dispatch.table));
    }
    return tables;
  }

  /** What is copied before the first kernel and after the last. */
  #copies(
    { lowered, saved }: PlanLowering,
    bufferOf: (node: Node) => DeviceBuffer,
  ): { before: Command[]; after: Command[] } {
    const { outputs, targets, leaves } = this.#parts;
    const before = [...saved].flatMap(([leaf, old]) => copy(leaves.bufferOf(leaf), bufferOf(old), bytesOfNode(leaf)));
    const isCopied = new Set<Node>();
    for (const [i, output] of outputs.entries()) {
      // An output that is a leaf: its bytes as they were before the updates.
      const stored = present(lowered.outputs[i], "plan: an output");
      if (!isLeaf(stored) || isCopied.has(output)) continue;
      isCopied.add(output);
      before.push(...copy(leaves.bufferOf(stored), leaves.bufferOf(output), bytesOfNode(stored)));
    }
    const values = lowered.outputs.slice(outputs.length);
    const { leafOf } = present(this.#lowering, "plan: its kernels");
    const after = targets.flatMap((target, i) => {
      const value = values[i];
      if (value === undefined || value === target || leafOf.get(value) === target) return [];
      return copy(bufferOf(saved.get(value) ?? value), leaves.bufferOf(target), bytesOfNode(target));
    });
    return { before, after };
  }

  #checkUsable(): void {
    assert(!this.#isDestroyed, "plan: expected one that is not destroyed");
    // A released leaf's memory may be another's by now.
    if (this.#lowering !== null) for (const leaf of this.#lowering.program.leaves) this.#parts.leaves.use(leaf);
  }
}

/** What a stage does where nobody says. */
function readOutputs(_: number, outputs: readonly Node[]): LeafWork {
  return { commands: [], reads: outputs.map((leaf) => ({ leaf, bytes: bytesOfNode(leaf) })) };
}

function commandOf(
  { buffers }: Dispatch,
  kernel: DeviceKernel | undefined,
  table: Allocation | undefined,
  memory: DeviceMemory,
): Command {
  assert(kernel !== undefined, "plan: expected a compiled kernel for each dispatch");
  return {
    kind: "dispatch",
    kernel,
    buffers: table === undefined ? buffers : [memory.bufferOf(table), ...buffers],
  };
}

function copy(source: DeviceBuffer, target: DeviceBuffer, bytes: number): Command[] {
  return bytes === 0 ? [] : [{ kind: "copy", source, sourceOffset: 0, target, targetOffset: 0, bytes }];
}
