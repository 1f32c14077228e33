/** One device of this browser, ready for tensors: for pages that compute by themselves, without a room. */
import { systemClock } from "../../base/clock.ts";
import { createRuntime } from "../../compute/runtime/graph-runtime.ts";
import type { Runtime } from "../../compute/runtime/runtime.ts";
import { RuntimeTuning } from "../../compute/runtime/runtime-tuning.ts";
import type { TuningStore } from "../../compute/runtime/tuning-store.ts";
import { setDefaultRuntime } from "../../compute/tensor/runtime-scope.ts";
import type { DeviceChoice } from "./engine-api.ts";
import { openDevice } from "./open-device.ts";
import { replaceDevice } from "./replace-device.ts";
import { tuningDatabase } from "./tuning-database.ts";

/** Options of `openRuntime`. */
export interface BrowserRuntimeOptions {
  /** Where it is known which kernels are fastest on a device: IndexedDB unless told, null for nowhere. */
  readonly tuning?: TuningStore | null;
  /** What may be taken from the device, in MiB; no limit unless told. */
  readonly memoryBudgetMiB?: number;
  /** Whether to go on with another device when this one is lost: yes unless told. */
  readonly recovers?: boolean;
  /** Threads that compute where the CPU does by WebAssembly, in isolated pages: one a processor unless told. */
  readonly threads?: number;
}

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
 * @throws UnsupportedError when "webgpu" or "wasm" is asked for and there is none
 */
export async function openRuntime(
  choice: DeviceChoice = "auto",
  options: BrowserRuntimeOptions = {},
): Promise<OpenedRuntime> {
  const { tuning = tuningDatabase(), memoryBudgetMiB = Infinity, recovers = true, threads } = options;
  const { device, reason } = await openDevice(choice, { threads });
  const runtime = createRuntime(device, {
    tuning: await RuntimeTuning.load(device.info, tuning),
    memoryBudgetBytes: memoryBudgetMiB * 2 ** 20,
    ...(recovers ? { reopen: replaceDevice(choice, device.info.kind, () => {}, systemClock) } : {}),
  });
  setDefaultRuntime(runtime);
  const close = (): void => {
    setDefaultRuntime(null);
    runtime.destroy();
    runtime.device.destroy();
  };
  return { runtime, reason, close };
}
