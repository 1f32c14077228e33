/** Who wants to know of every op as it is applied: anomaly detection. One at a time, and none usually. */
import type { Value } from "./value.ts";

/** Called after an op named `name` made `value`; `backwardOf` names the op whose gradient it is part of, if any. */
export type OpObserver = (name: string, value: Value, inputs: readonly Value[], backwardOf: string | null) => void;

let observer: OpObserver | null = null;
let current: string | null = null;

/** Tells the observer, if there is one. */
export function observe(name: string, value: Value, inputs: readonly Value[]): void {
  observer?.(name, value, inputs, current);
}

/** Runs `fn` (synchronous), with `watch` called for every op. */
export function withObserver<T>(watch: OpObserver, fn: () => T): T {
  const before = observer;
  observer = watch;
  try {
    return fn();
  } finally {
    observer = before;
  }
}

/** Runs `fn` (synchronous), which computes the gradient of an op named `name`. */
export function withinBackward<T>(name: string, fn: () => T): T {
  const before = current;
  current = name;
  try {
    return fn();
  } finally {
    current = before;
  }
}
