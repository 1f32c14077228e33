/** How much memory there is in use, and by whom. */
import type { MemoryKind, MemorySnapshot } from "../memory/snapshot.ts";
import { elementBytes, type DType } from "../layout/dtype.ts";
import type { Node, Shape } from "../compiler/ir.ts";
import type { Runtime, RuntimeMemory } from "../runtime/runtime.ts";
import { liveTensors, onTensorMade } from "./live-tensors.ts";
import { callers } from "./callers.ts";
import { currentRuntime } from "./runtime-scope.ts";
import type { Tensor } from "./tensor.ts";
import { isLeaf } from "./value.ts";

/** Tensors alike that were made at one place. */
export interface TensorGroup {
  readonly shape: Shape;
  readonly dtype: DType;
  readonly count: number;
  /** On the device, of all of them; lazy tensors have none. */
  readonly bytes: number;
  /** Where they were made: the callers' code, innermost first. Empty for tensors made without `debugMemory`. */
  readonly madeAt: readonly string[];
}

export interface MemoryReport extends RuntimeMemory {
  /** Tensors that are neither disposed nor collected yet. */
  readonly liveTensors: number;
  /** Those made since `debugMemory()`, the largest groups first; empty without it. */
  readonly groups: readonly TensorGroup[];
}

const kinds = new WeakMap<Tensor, MemoryKind>();

/** Notes what `tensors` are for, for page maps: parameters and their `.grad` are known without. */
export function markMemory(tensors: readonly Tensor[], kind: MemoryKind): void {
  for (const tensor of tensors) kinds.set(tensor, kind);
}

/** Where the memory of `runtime` is, page by page, the current one by default. @throws OptionError without a runtime */
export function memorySnapshot(runtime: Runtime = currentRuntime("memorySnapshot")): MemorySnapshot {
  const byLeaf = new Map<Node, MemoryKind>();
  for (const tensor of liveTensors()) {
    const { value, grad } = tensor;
    if (value.runtime !== runtime) continue;
    const kind = kinds.get(tensor) ?? (value.owner === null ? undefined : "parameters");
    if (kind !== undefined && isLeaf(value.node)) byLeaf.set(value.node, kind);
    if (grad !== null && isLeaf(grad.value.node)) byLeaf.set(grad.value.node, "gradients");
  }
  return runtime.snapshot(byLeaf);
}

/** What `memory` offers. */
export interface MemoryControls {
  /** Where the memory of a runtime, the current one by default, is, page by page. @throws OptionError without a runtime */
  snapshot(runtime?: Runtime): MemorySnapshot;
  /**
   * What may be taken from the device from the next work on; null for no limit.
   * @throws OptionError for less than a quarter of a mebibyte
   */
  setBudget(mebibytes: number | null, runtime?: Runtime): void;
}

/** Device memory: where it is, and how much of it may be used. */
export const memory: MemoryControls = {
  snapshot: memorySnapshot,
  setBudget: (mebibytes, runtime = currentRuntime("memory.setBudget")) => {
    runtime.setBudget(mebibytes === null ? null : mebibytes * 2 ** 20);
  },
};

const stacks = new WeakMap<Tensor, readonly string[]>();
/** Notes, from now on, where each tensor is made; `debugMemory(false)` ends that. It makes every op slower. */
export function debugMemory(on: boolean = true): void {
  onTensorMade(on ? (tensor) => void stacks.set(tensor, callers()) : null);
}

/** What `runtime`, the current one by default, holds: bytes, and tensors. @throws OptionError without a runtime */
export function memoryReport(runtime: Runtime = currentRuntime("memoryReport")): MemoryReport {
  const { liveBytes, pooledBytes, peakBytes } = runtime.memory;
  const mine = liveTensors().filter(({ value }) => value.runtime === null || value.runtime === runtime);
  return { liveBytes, pooledBytes, peakBytes, liveTensors: mine.length, groups: groupsOf(mine) };
}

function groupsOf(tensors: readonly Tensor[]): TensorGroup[] {
  const groups = new Map<string, TensorGroup>();
  for (const tensor of tensors) {
    const madeAt = stacks.get(tensor);
    if (madeAt === undefined) continue;
    const { shape, dtype } = tensor;
    const key = `${dtype} ${shape.join()} ${madeAt.join("\n")}`;
    const { count = 0, bytes = 0 } = groups.get(key) ?? {};
    const own = isLeaf(tensor.value.node) ? tensor.size * elementBytes(dtype) : 0;
    groups.set(key, { shape, dtype, count: count + 1, bytes: bytes + own, madeAt });
  }
  return [...groups.values()].sort((a, b) => b.bytes - a.bytes || b.count - a.count);
}
