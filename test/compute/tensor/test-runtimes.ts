/** The runtime that tests of ops run on. */
import { createRuntime } from "../../../src/compute/runtime/graph-runtime.ts";
import { ReferenceDevice } from "../../../src/compute/device/reference/reference-device.ts";
import { KERNELS_FOLDER } from "../device/checking-device.ts";
import type { Runtime } from "../../../src/compute/runtime/runtime.ts";

/** The compiler and the reference device. Where kernels are checked, they are those that WebAssembly gets. */
export function deviceRuntime(): Runtime {
  if (KERNELS_FOLDER === undefined) return createRuntime(new ReferenceDevice());
  const device = new ReferenceDevice({ subgroupSize: 4 });
  return createRuntime(Object.assign(device, { info: { ...device.info, hasVectorLanes: true } }));
}
