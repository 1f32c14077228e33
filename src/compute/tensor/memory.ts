/** How much memory there is in use, and by whom. */
import { elementBytes, type DType } from "../layout/dtype.ts";
import type { Shape } from "../compiler/ir.ts";
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
