/** A graph compiled for its leaves: one recording of dispatches and copies, to be submitted many times. */
import { assert } from "../../base/assert.ts";
import { OptionError, ShapeError } from "../../base/errors.ts";
import type { Node } from "../compiler/ir.ts";
import type { Lowered } from "../compiler/lower.ts";
import type { Command, Device, DeviceBuffer, DeviceKernel, Recording } from "../device/device.ts";
import { formatShape, sameShape } from "../layout/shape.ts";
import { assemble } from "./assembly.ts";
import type { BufferPool } from "./buffer-pool.ts";
import { bytesOfNode, type Leaves } from "./leaves.ts";
import type { KernelReport, Plan } from "./runtime.ts";

export interface PlanParts {
  readonly device: Device;
  readonly pool: BufferPool;
  readonly leaves: Leaves;
  /** Its outputs are those of the plan, followed by the values of the updates. */
  readonly lowered: Lowered;
  readonly compiled: readonly DeviceKernel[];
  readonly outputCount: number;
  /** The leaf that each update overwrites. */
  readonly targets: readonly Node[];
  readonly onDestroy: () => void;
}

export class CompiledPlan implements Plan {
  readonly outputs: readonly Node[];
  /** Buffers of the pool that it holds. */
  readonly scratch: readonly DeviceBuffer[];
  readonly #parts: PlanParts;
  /** Leaves that `run` reads or writes. */
  readonly #used: readonly Node[];
  readonly #recording: Recording;
  #isDestroyed = false;

  constructor(parts: PlanParts) {
    const { lowered, leaves, pool, device, compiled, targets } = parts;
    this.#parts = parts;
    const stored = lowered.outputs.slice(0, parts.outputCount);
    const values = lowered.outputs.slice(parts.outputCount);
    checkUpdates(targets, values);

    const results = new Map<Node, Node>();
    for (const node of stored) if (!results.has(node)) results.set(node, leaves.createLike(node));
    this.outputs = stored.map((node) => results.get(node) ?? node);

    const inPlace = targetsWrittenInPlace(lowered, targets, values, new Set(stored));
    const placed = (node: Node): DeviceBuffer | undefined => {
      if (isLeaf(node)) return leaves.bufferOf(node);
      const leaf = results.get(node) ?? inPlace.get(node);
      return leaf === undefined ? undefined : leaves.bufferOf(leaf);
    };
    const { commands, bufferOf, scratch } = assemble(lowered, compiled, placed, new Set(values), pool);
    const kept: DeviceBuffer[] = [];
    const before: Command[] = [];
    const after: Command[] = [];
    for (const [node, leaf] of results) {
      // An output that is a leaf: its bytes as they were before the updates.
      if (isLeaf(node)) before.push(...copy(leaves.bufferOf(node), leaves.bufferOf(leaf), bytesOfNode(node)));
    }
    for (const [i, target] of targets.entries()) {
      const value = values[i];
      if (value === undefined || value === target || inPlace.get(value) === target) continue;
      const bytes = bytesOfNode(target);
      if (bytes === 0) continue;
      let source = bufferOf(value);
      if (isLeaf(value) && targets.includes(value)) {
        const old = pool.take(bytes);
        kept.push(old);
        before.push(...copy(source, old, bytes));
        source = old;
      }
      after.push(...copy(source, leaves.bufferOf(target), bytes));
    }
    this.scratch = [...scratch, ...kept];
    this.#recording = device.record([...before, ...commands, ...after]);
    const read = lowered.kernels.flatMap(({ inputs }) => inputs.filter(isLeaf));
    this.#used = [...new Set([...read, ...stored.filter(isLeaf), ...values.filter(isLeaf), ...targets])];
  }

  get scratchBytes(): number {
    return this.scratch.reduce((sum, { bytes }) => sum + bytes, 0);
  }

  run(): void {
    assert(!this.#isDestroyed, "plan: expected one that is not destroyed");
    // A released leaf's buffer may be another's by now.
    for (const leaf of [...this.#used, ...this.outputs]) this.#parts.leaves.bufferOf(leaf);
    this.#parts.device.submit(this.#recording);
  }

  explain(): readonly KernelReport[] {
    return this.#parts.lowered.kernels.map(({ kernel }) => {
      return { name: kernel.name, invocations: kernel.invocations, bindings: kernel.bindings.length };
    });
  }

  destroy(): void {
    if (this.#isDestroyed) return;
    this.#isDestroyed = true;
    for (const buffer of this.scratch) this.#parts.pool.give(buffer);
    for (const leaf of this.outputs) this.#parts.leaves.release(leaf);
    this.#parts.onDestroy();
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
 * Values that can be computed right into the leaf that they update: nobody reads the leaf's old bytes from the kernel on
 * that computes the value. Saves a copy and a buffer.
 */
function targetsWrittenInPlace(
  { kernels }: Lowered,
  targets: readonly Node[],
  values: readonly Node[],
  outputs: ReadonlySet<Node>,
): Map<Node, Node> {
  const lastRead = new Map<Node, number>();
  const madeAt = new Map<Node, number>();
  for (const [step, { outputs: made, inputs }] of kernels.entries()) {
    for (const output of made) madeAt.set(output, step);
    for (const input of inputs) lastRead.set(input, step);
  }
  const out = new Map<Node, Node>();
  for (const [i, target] of targets.entries()) {
    const value = values[i];
    const made = value === undefined ? undefined : madeAt.get(value);
    if (value === undefined || made === undefined || outputs.has(value) || out.has(value)) continue;
    const isReadLater = (lastRead.get(target) ?? -1) >= made || values.includes(target);
    if (!isReadLater) out.set(value, target);
  }
  return out;
}
