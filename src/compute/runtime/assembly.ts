/**
 * From lowered kernels to dispatches: every value gets its place in memory, every kernel its bindings.
 *
 * Values that live only inside the program share memory by lifetime (`memory/placement.ts`). Nothing is compiled here:
 * where arrays lie decides how kernels bind them, so kernels are compiled after.
 */
import { present } from "../../base/assert.ts";
import type { Node } from "../compiler/ir.ts";
import type { LoweredKernel } from "../compiler/lower-region.ts";
import { overwriting } from "../compiler/overwrite.ts";
import { PART_BYTES, type DeviceBuffer, type DeviceLimits } from "../device/device.ts";
import type { Kernel } from "../lang/kernel.ts";
import { packKernels } from "../lang/pack.ts";
import { planPlacement } from "../memory/placement.ts";
import type { BufferPool } from "./buffer-pool.ts";
import { bytesOfNode } from "./leaves.ts";

/** Memory of a program is in blocks of at most this, so that one binding can hold a block. */
const BLOCK_BYTES_MAX = 256 * 2 ** 20;

/** A kernel to dispatch, with the memory of its bindings. */
export interface Dispatch {
  readonly kernel: Kernel;
  readonly buffers: readonly DeviceBuffer[];
  /** What the first binding has to hold before the first run; its buffer is not there yet. */
  readonly table?: Int32Array<ArrayBuffer>;
  /** What the dispatch computes. */
  readonly parts: readonly LoweredKernel[];
}

export interface Places {
  /** The memory of every stored node. */
  readonly bufferOf: (node: Node) => DeviceBuffer;
  /** Buffers from the pool that hold the inner values; the caller gives them back. */
  readonly scratch: readonly DeviceBuffer[];
  /** The most bytes of inner values that live at once: no placement takes less. */
  readonly boundBytes: number;
}

/**
 * Memory for the values of `steps`, each of which computes its kernels together.
 *
 * @param placed the memory of leaves and of outputs that have to be somewhere; undefined for inner values
 * @param keptToEnd inner values that are still read after the last kernel
 */
export function placeValues(
  steps: readonly (readonly LoweredKernel[])[],
  placed: (node: Node) => DeviceBuffer | undefined,
  keptToEnd: ReadonlySet<Node>,
  pool: BufferPool,
  { bufferBytesMax, bindingBytesMax }: DeviceLimits,
): Places {
  const lastRead = new Map<Node, number>();
  for (const [at, step] of steps.entries()) {
    for (const { inputs } of step) for (const input of inputs) lastRead.set(input, at);
  }
  const inner: Node[] = [];
  const lifetimes = [];
  for (const [at, step] of steps.entries()) {
    for (const output of step.flatMap(({ outputs }) => outputs)) {
      if (placed(output) !== undefined) continue;
      inner.push(output);
      const last = keptToEnd.has(output) ? steps.length : (lastRead.get(output) ?? at);
      lifetimes.push({ bytes: bytesOfNode(output), first: at, last });
    }
  }
  const blockBytesMax = Math.min(BLOCK_BYTES_MAX, bufferBytesMax, bindingBytesMax);
  const { places, blockBytes, boundBytes } = planPlacement(lifetimes, PART_BYTES, blockBytesMax);
  const scratch = blockBytes.map((bytes) => pool.takeWhole(bytes));
  const buffers = new Map<Node, DeviceBuffer>();
  for (const [i, node] of inner.entries()) {
    const { block, offset } = present(places[i], "placeValues: a place");
    const whole = present(scratch[block], "placeValues: a block");
    buffers.set(node, whole.part(offset, Math.max(4, bytesOfNode(node))));
  }
  const bufferOf = (node: Node): DeviceBuffer =>
    present(placed(node) ?? buffers.get(node), `placeValues: the memory of a ${node.primitive.kind}`);
  return { bufferOf, scratch, boundBytes };
}

/** The dispatches of a step: one, where the memory of its kernels can be bound together. */
export function dispatchesOf(
  step: readonly LoweredKernel[],
  bufferOf: (node: Node) => DeviceBuffer,
  limits: DeviceLimits,
): Dispatch[] {
  const [first] = step;
  if (first === undefined) return [];
  if (step.length === 1) return [bindKernel(first, bufferOf)];
  const buffers = step.map(({ outputs, inputs }) => [...outputs, ...inputs].map(bufferOf));
  const slabs = [...new Set(buffers.flat().map(({ whole }) => whole))];
  const fits = slabs.length < limits.bindingsMax && slabs.every(({ bytes }) => bytes <= limits.bindingBytesMax);
  if (!fits) {
    const half = Math.ceil(step.length / 2);
    return [step.slice(0, half), step.slice(half)].flatMap((part) => dispatchesOf(part, bufferOf, limits));
  }
  const parts = step.map(({ kernel }, i) => {
    const places = present(buffers[i], "dispatchesOf: the memory of a kernel").map(({ whole, offset }) => ({
      slab: slabs.indexOf(whole),
      word: offset / 4,
    }));
    return { kernel, places };
  });
  const name = step.map(({ kernel }) => kernel.name).join(" & ");
  const packed = packKernels(name, parts, slabs.map(({ bytes }) => bytes / 4)); // prettier-ignore
  const bound = packed.slabs.map((slab) => present(slabs[slab], "dispatchesOf: a slab"));
  return [{ kernel: packed.kernel, buffers: bound, table: packed.table, parts: step }];
}

/** A kernel with its memory: what it stores over what it reads is one binding. */
export function bindKernel(lowered: LoweredKernel, bufferOf: (node: Node) => DeviceBuffer): Dispatch {
  let { kernel } = lowered;
  const buffers = [...lowered.outputs, ...lowered.inputs].map(bufferOf);
  for (let output = 0; output < lowered.outputs.length; output++) {
    const input = buffers.findIndex((buffer, i) => i > output && isSamePlace(buffer, buffers[output]));
    const merged = input < 0 ? undefined : overwriting(kernel, output, input);
    if (merged === undefined) continue;
    kernel = merged;
    buffers.splice(input, 1);
  }
  const written = new Set(buffers.filter((_, i) => kernel.bindings[i]?.access !== "read").map(({ whole }) => whole));
  const bindings = kernel.bindings.map((binding, i) => {
    const whole = buffers[i]?.whole;
    const isShared = binding.access === "read" && whole !== undefined && written.has(whole);
    return isShared ? { ...binding, isShared } : binding;
  });
  return { kernel: { ...kernel, bindings }, buffers, parts: [lowered] };
}

function isSamePlace(a: DeviceBuffer, b: DeviceBuffer | undefined): boolean {
  return a.whole === b?.whole && a.offset === b.offset;
}
