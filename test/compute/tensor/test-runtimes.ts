/** The runtime that tests of ops run on. */
import { createRuntime } from "../../../src/compute/runtime/graph-runtime.ts";
import { ReferenceDevice } from "../../../src/compute/device/reference/reference-device.ts";
import type { Runtime } from "../../../src/compute/runtime/runtime.ts";

/** The compiler and the reference device: what a tab without a GPU runs. */
export function deviceRuntime(): Runtime {
  return createRuntime(new ReferenceDevice());
}
