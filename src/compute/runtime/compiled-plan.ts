/** A graph compiled for its leaves: one recording of dispatches and copies, to be submitted many times. */
import { assert } from "../../base/assert.ts";
import { bytesOf } from "../../base/bytes.ts";
import { OptionError, ShapeError } from "../../base/errors.ts";
import type { Node } from "../compiler/ir.ts";
import type { Lowered } from "../compiler/lower.ts";
import type { LoweredKernel } from "../compiler/lower-region.ts";
import { canOverwrite } from "../compiler/overwrite.ts";
import { planWaves } from "../compiler/waves.ts";
import type { Command, Device, DeviceBuffer, DeviceKernel, Recording } from "../device/device.ts";
import type { Kernel } from "../lang/kernel.ts";
import { formatShape, sameShape } from "../layout/shape.ts";
import { dispatchesOf, placeValues, type Dispatch } from "./assembly.ts";
import type { BufferPool } from "./buffer-pool.ts";
import { bytesOfNode, type Leaves } from "./leaves.ts";
import type { PlanReport } from "./plan-report.ts";
import { middleMeans } from "./middle-means.ts";
import { reportPlan } from "./report-plan.ts";
import type { Plan } from "./runtime.ts";

export interface PlanParts {
  readonly device: Device;
  readonly submit: (recording: Recording) => void;
  readonly pool: BufferPool;
  readonly leaves: Leaves;
  /** The graph as it was asked for: outputs, then the values of the updates. */
  readonly asked: readonly Node[];
  /** Its outputs are those of the plan, followed by the values of the updates. */
  readonly lowered: Lowered;
  /** `lowered`, made of `asked` once more. */
  readonly lowerAgain: () => Lowered;
  readonly outputCount: number;
  /** The leaf that each update overwrites. */
  readonly targets: readonly Node[];
  readonly onDestroy: () => void;
}

/** A plan that has its memory, but not its kernels yet. */
export class PlanLayout {
  readonly parts: PlanParts;
  /** Buffers of the pool that it holds. */
  readonly scratch: readonly DeviceBuffer[];
  readonly outputs: readonly Node[];
  readonly dispatches: readonly Dispatch[];
  readonly #before: Command[] = [];
  readonly #after: Command[] = [];

  constructor(parts: PlanParts) {
    this.parts = parts;
    const { lowered, leaves, pool, device, targets } = parts;
    const stored = lowered.outputs.slice(0, parts.outputCount);
    const values = lowered.outputs.slice(parts.outputCount);
    checkUpdates(targets, values);

    const results = new Map<Node, Node>();
    for (const node of stored) if (!results.has(node)) results.set(node, leaves.createLike(node));
    this.outputs = stored.map((node) => results.get(node) ?? node);

    const steps = planWaves(lowered.kernels);
    const inPlace = targetsWrittenInPlace(steps, targets, values, new Set(stored));
    const placed = (node: Node): DeviceBuffer | undefined => {
      if (isLeaf(node)) return leaves.bufferOf(node);
      const leaf = results.get(node) ?? inPlace.get(node);
      return leaf === undefined ? undefined : leaves.bufferOf(leaf);
    };
    const { limits } = device.info;
    const { bufferOf, scratch } = placeValues(steps, placed, new Set(values), pool, limits);
    const kept: DeviceBuffer[] = [];
    this.dispatches = steps
      .flatMap((step) => dispatchesOf(step, bufferOf, limits))
      .map((dispatch) => {
        if (dispatch.table === undefined) return dispatch;
        const table = pool.takeWhole(dispatch.table.byteLength);
        kept.push(table);
        device.write(table, bytesOf(dispatch.table));
        return { ...dispatch, buffers: [table, ...dispatch.buffers] };
      });
    for (const [node, leaf] of results) {
      // An output that is a leaf: its bytes as they were before the updates.
      if (isLeaf(node)) this.#before.push(...copy(leaves.bufferOf(node), leaves.bufferOf(leaf), bytesOfNode(node)));
    }
    for (const [i, target] of targets.entries()) {
      const value = values[i];
      if (value === undefined || value === target || inPlace.get(value) === target) continue;
      const bytes = bytesOfNode(target);
      if (bytes === 0) continue;
      let source = bufferOf(value);
      if (isLeaf(value) && targets.includes(value)) {
        const old = pool.takeWhole(bytes);
        kept.push(old);
        this.#before.push(...copy(source, old, bytes));
        source = old;
      }
      this.#after.push(...copy(source, leaves.bufferOf(target), bytes));
    }
    this.scratch = [...scratch, ...kept];
  }

  get kernels(): readonly Kernel[] {
    return this.dispatches.map(({ kernel }) => kernel);
  }

  commands(compiled: readonly DeviceKernel[]): Command[] {
    const dispatches = this.dispatches.map(({ buffers }, i): Command => {
      const kernel = compiled[i];
      assert(kernel !== undefined, "plan: expected a compiled kernel for each dispatch");
      return { kind: "dispatch", kernel, buffers };
    });
    return [...this.#before, ...dispatches, ...this.#after];
  }

  /** Commands before the first dispatch. */
  get firstDispatch(): number {
    return this.#before.length;
  }

  /** Gives its memory back. */
  release(): void {
    for (const buffer of this.scratch) this.parts.pool.give(buffer);
    for (const leaf of this.outputs) this.parts.leaves.release(leaf);
  }
}

export class CompiledPlan implements Plan {
  readonly outputs: readonly Node[];
  readonly #layout: PlanLayout;
  /** Leaves that `run` reads or writes. */
  readonly #used: readonly Node[];
  readonly #recording: Recording;
  /** In the last profile. */
  #kernelMs: readonly (number | null)[] = [];
  #isDestroyed = false;

  constructor(layout: PlanLayout, compiled: readonly DeviceKernel[]) {
    this.#layout = layout;
    this.outputs = layout.outputs;
    const { lowered, device, targets } = layout.parts;
    this.#recording = device.record(layout.commands(compiled));
    const read = lowered.kernels.flatMap(({ inputs }) => inputs.filter(isLeaf));
    this.#used = [...new Set([...read, ...lowered.outputs.filter(isLeaf), ...targets])];
  }

  get scratch(): readonly DeviceBuffer[] {
    return this.#layout.scratch;
  }

  get scratchBytes(): number {
    return this.scratch.reduce((sum, { bytes }) => sum + bytes, 0);
  }

  run(): void {
    this.#checkUsable();
    this.#layout.parts.submit(this.#recording);
  }

  async profile(runs: number = 1): Promise<readonly (number | null)[]> {
    const { device } = this.#layout.parts;
    const { dispatches, firstDispatch } = this.#layout;
    const all: (readonly (number | null)[])[] = [];
    for (let run = 0; run < runs; run++) {
      this.#checkUsable();
      const ms = await device.measure(this.#recording);
      all.push(ms.slice(firstDispatch, firstDispatch + dispatches.length));
    }
    this.#kernelMs = middleMeans(all, dispatches.length);
    return this.#kernelMs;
  }

  explain(): PlanReport {
    const { asked, lowered, lowerAgain } = this.#layout.parts;
    // What is kept of a graph that came before is its kernels, without what they were made of.
    const again = lowerAgain();
    const dispatches = this.#layout.dispatches.map(({ kernel, parts }) => {
      const own = parts.map((part) => again.kernels[lowered.kernels.indexOf(part)]);
      return { kernel, parts: own.filter((part) => part !== undefined) };
    });
    return reportPlan({
      asked,
      outputs: again.outputs,
      dispatches,
      scratchBytes: this.scratchBytes,
      ms: this.#kernelMs,
    });
  }

  destroy(): void {
    if (this.#isDestroyed) return;
    this.#isDestroyed = true;
    this.#layout.release();
    this.#layout.parts.onDestroy();
  }

  #checkUsable(): void {
    assert(!this.#isDestroyed, "plan: expected one that is not destroyed");
    // A released leaf's buffer may be another's by now.
    const { leaves } = this.#layout.parts;
    for (const leaf of [...this.#used, ...this.outputs]) leaves.bufferOf(leaf);
  }
}

function isLeaf(node: Node): boolean {
  return node.primitive.kind === "buffer";
}

function copy(source: DeviceBuffer, target: DeviceBuffer, bytes: number): Command[] {
  return bytes === 0 ? [] : [{ kind: "copy", source, sourceOffset: 0, target, targetOffset: 0, bytes }];
}

function checkUpdates(targets: readonly Node[], values: readonly Node[]): void {
  if (new Set(targets).size !== targets.length) {
    throw new OptionError("compile: expected one update a leaf, found two for one");
  }
  for (const [i, target] of targets.entries()) {
    const value = values[i];
    if (!isLeaf(target)) {
      throw new OptionError(`compile: expected updates of leaves, found one of a ${target.primitive.kind}`);
    }
    if (value === undefined || (sameShape(target.shape, value.shape) && target.dtype === value.dtype)) continue;
    const expected = `${target.dtype} ${formatShape(target.shape)}`;
    throw new ShapeError(
      `compile: expected ${expected} for an update, found ${value.dtype} ${formatShape(value.shape)}`,
    );
  }
}

/**
 * Values that can be computed right into the leaf that they update: nobody reads the leaf's old bytes from then on, but
 * the kernel itself where it stores the new ones. Saves a copy and an array.
 */
function targetsWrittenInPlace(
  steps: readonly (readonly LoweredKernel[])[],
  targets: readonly Node[],
  values: readonly Node[],
  outputs: ReadonlySet<Node>,
): Map<Node, Node> {
  const readers = new Map<Node, { kernel: LoweredKernel; at: number }[]>();
  const makers = new Map<Node, { kernel: LoweredKernel; at: number }>();
  for (const [at, step] of steps.entries()) {
    for (const kernel of step) {
      for (const output of kernel.outputs) makers.set(output, { kernel, at });
      for (const input of kernel.inputs) readers.set(input, [...(readers.get(input) ?? []), { kernel, at }]);
    }
  }
  const out = new Map<Node, Node>();
  for (const [i, target] of targets.entries()) {
    const value = values[i];
    const maker = value === undefined ? undefined : makers.get(value);
    if (value === undefined || maker === undefined || outputs.has(value) || out.has(value)) continue;
    if (values.includes(target)) continue;
    const isReadBefore = (readers.get(target) ?? []).every(({ kernel, at }) => {
      if (at < maker.at) return true;
      if (kernel !== maker.kernel) return false;
      const [output, input] = [kernel.outputs.indexOf(value), kernel.inputs.indexOf(target)];
      return canOverwrite(kernel.kernel, output, kernel.outputs.length + input);
    });
    if (isReadBefore) out.set(value, target);
  }
  return out;
}
