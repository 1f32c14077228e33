/**
 * Which runtime new tensors live on. The host sets one for the whole thread; a test or a simulation that holds several
 * members in one process scopes each with `withRuntime`.
 */
import { OptionError } from "../../base/errors.ts";
import type { Runtime } from "../runtime/runtime.ts";

let current: Runtime | null = null;

/** The runtime of all tensors made from now on; null takes it away. */
export function setDefaultRuntime(runtime: Runtime | null): void {
  current = runtime;
}

/** Runs `fn` (synchronous) with `runtime` in place of the default one. */
export function withRuntime<T>(runtime: Runtime, fn: () => T): T {
  const before = current;
  current = runtime;
  try {
    return fn();
  } finally {
    current = before;
  }
}

/** @throws OptionError when there is none */
export function currentRuntime(operation: string): Runtime {
  if (current === null) {
    throw new OptionError(`${operation}: expected a runtime, found none; call setDefaultRuntime(runtime) first`);
  }
  return current;
}
