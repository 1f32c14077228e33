/** What users want to be called with gradients as they arrive. */
import type { Tensor } from "./tensor.ts";
import type { Value } from "./value.ts";

/** Called with dL/dx, complete; what it returns takes its place. */
export type GradientHook = (grad: Tensor) => Tensor | undefined | void;

/** Takes a hook away. */
export interface HookHandle {
  /** From now on it is not called. */
  remove(): void;
}

/** By the tensor that owns a leaf, which outlives its values, or by the value that an op made. */
const hooks = new WeakMap<Tensor | Value, Set<{ readonly hook: GradientHook }>>();

/** Calls `hook` whenever a gradient of `value` is complete, before anything uses it. */
export function addHook(value: Value, hook: GradientHook): HookHandle {
  const key = value.owner ?? value;
  const entry = { hook };
  const all = hooks.get(key) ?? new Set();
  hooks.set(key, all.add(entry));
  return { remove: () => void all.delete(entry) };
}

/** `grad` after all hooks of `value`, in the order in which they were added. */
export function throughHooks(value: Value, grad: Tensor): Tensor {
  let current = grad;
  for (const { hook } of hooks.get(value.owner ?? value) ?? []) current = hook(current) ?? current;
  return current;
}
