/**
 * From lowered kernels to dispatches: every value gets its place in memory, every kernel its bindings.
 *
 * Values that live only inside the program share memory by lifetime (`memory/placement.ts`). Nothing is compiled here:
 * where arrays lie decides how kernels bind them, so kernels are compiled after.
 */
import { present } from "../../base/assert.ts";
import type { Node } from "../compiler/ir.ts";
import type { PlanStep } from "../compiler/fit-memory.ts";
import type { LoweredKernel } from "../compiler/lower-region.ts";
import { overwriting } from "../compiler/overwrite.ts";
import { PART_BYTES, type DeviceBuffer, type DeviceLimits } from "../device/device.ts";
import type { Kernel } from "../lang/kernel.ts";
import { packKernels } from "../lang/pack.ts";
import { planPlacement, type Lifetime } from "../memory/placement.ts";
import { bytesOfNode } from "./leaves.ts";

/** A kernel to dispatch, with the memory of its bindings. */
export interface Dispatch {
  readonly kernel: Kernel;
  readonly buffers: readonly DeviceBuffer[];
  /** What the first binding has to hold before the first run; its buffer is not there yet. */
  readonly table?: Int32Array<ArrayBuffer>;
  /** What the dispatch computes. */
  readonly parts: readonly LoweredKernel[];
}

/** Where the inner values of a program lie in its scratch. */
export interface Layout {
  readonly blockBytes: readonly number[];
  /** The most bytes of inner values that live at once: no placement takes less. */
  readonly boundBytes: number;
  /** The memory of every inner value, once the blocks are there. */
  readonly buffersIn: (blocks: readonly DeviceBuffer[]) => ReadonlyMap<Node, DeviceBuffer>;
}

/**
 * Places the values of `steps` that are `inner` in blocks, by lifetime.
 *
 * @param isHasty for what runs once: see `planPlacement`
 * @param keptToEnd inner values that are still read after the last step; those that no step makes live from the beginning
 */
export function layOut(
  steps: readonly PlanStep[],
  isInner: (node: Node) => boolean,
  keptToEnd: ReadonlySet<Node>,
  blockBytesMax: number,
  isHasty: boolean = false,
): Layout {
  const lastRead = new Map<Node, number>();
  for (const [at, step] of steps.entries()) for (const node of readsOf(step)) lastRead.set(node, at);
  const inner: Node[] = [];
  const lifetimes: Lifetime[] = [];
  const add = (node: Node, first: number): void => {
    inner.push(node);
    const last = keptToEnd.has(node) ? steps.length : Math.max(first, lastRead.get(node) ?? first);
    lifetimes.push({ bytes: bytesOfNode(node), first, last });
  };
  for (const [at, step] of steps.entries()) for (const node of storesOf(step)) if (isInner(node)) add(node, at);
  for (const node of keptToEnd) if (isInner(node) && !inner.includes(node)) add(node, 0);
  const { places, blockBytes, boundBytes } = planPlacement(lifetimes, PART_BYTES, blockBytesMax, isHasty);
  const buffersIn = (blocks: readonly DeviceBuffer[]): ReadonlyMap<Node, DeviceBuffer> => {
    const buffers = inner.map((node, i) => {
      const { block, offset } = present(places[i], "layOut: a place");
      return [node, present(blocks[block], "layOut: a block").part(offset, Math.max(4, bytesOfNode(node)))] as const;
    });
    return new Map(buffers);
  };
  return { blockBytes, boundBytes, buffersIn };
}

function readsOf(step: PlanStep): readonly Node[] {
  if (step.kind === "compute") return step.kernels.flatMap(({ inputs }) => inputs);
  return step.kind === "offload" ? [step.node] : [];
}

function storesOf(step: PlanStep): readonly Node[] {
  if (step.kind === "compute") return step.kernels.flatMap(({ outputs }) => outputs);
  return step.kind === "reload" ? [step.node] : [];
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
