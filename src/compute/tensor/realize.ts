/** Computing what is lazy, and reading it. */
import { present } from "../../base/assert.ts";
import { OptionError } from "../../base/errors.ts";
import type { Runtime } from "../runtime/runtime.ts";
import { noteLeaf, releaseCondemned } from "./live-tensors.ts";
import { currentRuntime } from "./runtime-scope.ts";
import type { Tensor } from "./tensor.ts";
import { currentTrace } from "./trace.ts";
import { elementCount } from "../layout/shape.ts";
import { isLeaf, ownNewLeaf, valuesMade } from "./value.ts";
import type { Value } from "./value.ts";
import { valuesOf } from "./host-values.ts";
import type { HostArray } from "../runtime/runtime.ts";

/** Values that were assigned and are not computed yet: they are with the next ones that are, lest they grow for ever. */
const pending = new WeakMap<Runtime, Set<Value>>();

/**
 * Steps that nobody reads anything of grow a graph. When so many values have been made since anything was computed, what
 * was assigned is computed as soon as the code that runs lets go of the thread.
 */
const UNCOMPUTED_MAX = 4000;
const computedAt = new WeakMap<Runtime, number>();
const scheduled = new WeakSet<Runtime>();

/** Notes that `value` is some tensor's state now. */
export function notePending(value: Value): void {
  const { runtime } = value;
  if (runtime === null || value.trace !== null || isLeaf(value.node)) return;
  const set = pending.get(runtime) ?? new Set();
  pending.set(runtime, set.add(value));
  if (!isLong(runtime) || scheduled.has(runtime)) return;
  scheduled.add(runtime);
  void Promise.resolve()
    .then(() => (isLong(runtime) ? realizeValues(runtime, []) : undefined))
    // The values stay lazy: whoever reads them next gets the error.
    .catch(() => undefined)
    .finally(() => scheduled.delete(runtime));
}

function isLong(runtime: Runtime): boolean {
  const since = computedAt.get(runtime);
  if (since === undefined) computedAt.set(runtime, valuesMade());
  return since !== undefined && valuesMade() - since > UNCOMPUTED_MAX;
}

/** Notes that no tensor holds `value` any more. */
export function dropPending(value: Value): void {
  if (value.runtime !== null) pending.get(value.runtime)?.delete(value);
}

/** Computes `tensors`, and all that was assigned before, in one go. */
export async function realizeAll(tensors: readonly Tensor[]): Promise<void> {
  if (currentTrace() !== null)
    throw new OptionError("realize: expected to be outside of compiled functions, found it inside");
  for (const [runtime, values] of byRuntime(tensors.map((tensor) => tensor.value))) {
    await realizeValues(runtime, values);
  }
}

function byRuntime(values: readonly Value[]): Map<Runtime, Value[]> {
  const groups = new Map<Runtime, Value[]>();
  for (const value of values) {
    if (value.trace !== null) {
      throw new OptionError("realize: expected a tensor that lives outside, found one made inside a compiled function");
    }
    const runtime = value.runtime ?? currentRuntime("realize");
    groups.set(runtime, [...(groups.get(runtime) ?? []), value]);
  }
  return groups;
}

async function realizeValues(runtime: Runtime, asked: readonly Value[]): Promise<void> {
  const waiting = pending.get(runtime) ?? new Set();
  pending.delete(runtime);
  computedAt.set(runtime, valuesMade());
  const values = [...new Set([...asked, ...waiting])].filter((value) => !isLeaf(value.node));
  if (values.length === 0) return;
  const nodes = values.map((value) => value.node);
  const leaves = await runtime.realize(nodes);
  const taken = new Set<unknown>();
  values.forEach((value, index) => {
    const leaf = present(leaves[index], "realize: a leaf");
    // Two values may be one node: the leaf goes to the first, the other stays lazy, so that neither overwrites the other.
    if (value.node !== nodes[index] || taken.has(leaf)) return;
    taken.add(leaf);
    value.node = leaf;
    value.runtime = runtime;
    ownNewLeaf(leaf, value);
    noteLeaf(leaf, runtime);
  });
  releaseCondemned();
}

/** The values of `tensors`, row-major, in one readback for each runtime (all are usually on one). */
export async function readAll(tensors: readonly Tensor[]): Promise<HostArray[]> {
  const values = tensors.map((tensor) => tensor.value);
  await realizeAll(tensors);
  const out = new Map<Value, HostArray>();
  for (const [runtime, group] of byRuntime(values)) {
    const bytes = await runtime.read(group.map((value) => value.node));
    group.forEach((value, index) => {
      out.set(value, valuesOf(present(bytes[index], "read: bytes"), value.node.dtype, elementCount(value.node.shape)));
    });
  }
  return values.map((value) => present(out.get(value), "read: a result"));
}
