/** One device of this browser, ready for tensors: for pages that compute by themselves, without a room. */
import { createRuntime } from "../../compute/runtime/graph-runtime.ts";
import type { Runtime } from "../../compute/runtime/runtime.ts";
import { setDefaultRuntime } from "../../compute/tensor/runtime-scope.ts";
import type { DeviceChoice } from "./engine-api.ts";
import { openDevice } from "./open-device.ts";

/** A runtime and why it is the one. */
export interface OpenedRuntime {
  readonly runtime: Runtime;
  /** One sentence for people. */
  readonly reason: string;
  /** Frees all memory and the device. */
  close(): void;
}

/**
 * Opens a device ("auto": a hardware GPU, else the CPU) and makes it the one that new tensors live on.
 * @throws UnsupportedError when "webgpu" is asked for and there is none
 */
export async function openRuntime(choice: DeviceChoice = "auto"): Promise<OpenedRuntime> {
  const { device, reason } = await openDevice(choice);
  const runtime = createRuntime(device);
  setDefaultRuntime(runtime);
  const close = (): void => {
    setDefaultRuntime(null);
    runtime.destroy();
    device.destroy();
  };
  return { runtime, reason, close };
}
