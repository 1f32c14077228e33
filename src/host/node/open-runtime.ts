/** One device of this machine, ready for tensors, in Node. */
import { UnsupportedError } from "../../base/errors.ts";
import type { Device } from "../../compute/device/device.ts";
import { ReferenceDevice } from "../../compute/device/reference/reference-device.ts";
import { openWasmDevice } from "../../compute/device/wasm/open-wasm-device.ts";
import { openWebGpuDevice } from "../../compute/device/webgpu/open-webgpu-device.ts";
import { createRuntime } from "../../compute/runtime/graph-runtime.ts";
import type { Runtime } from "../../compute/runtime/runtime.ts";
import { RuntimeTuning } from "../../compute/runtime/runtime-tuning.ts";
import type { TuningStore } from "../../compute/runtime/tuning-store.ts";
import { setDefaultRuntime } from "../../compute/tensor/runtime-scope.ts";
import { chooseDevice, type ChosenDevice } from "../choice/choose-device.ts";
import { openDawn } from "./dawn.ts";
import { tuningFiles } from "./tuning-files.ts";
import { wasmThreads } from "./wasm-threads.ts";

/**
 * "auto": a hardware GPU through Dawn where there is one and it is faster than the CPU, else the CPU by WebAssembly, else by
 * JavaScript. "webgpu" takes an emulated GPU too.
 */
export type NodeDeviceChoice = "auto" | "webgpu" | "wasm" | "reference";

/** Options of `openRuntime`. */
export interface NodeRuntimeOptions {
  /** Where it is known which kernels are fastest on a device: files in the user's cache unless told, null for nowhere. */
  readonly tuning?: TuningStore | null;
  /** What may be taken from the device, in MiB; no limit unless told. */
  readonly memoryBudgetMiB?: number;
  /** Whether to go on with another device when this one is lost: yes unless told. */
  readonly recovers?: boolean;
  /** Threads that compute where the CPU does by WebAssembly: one a processor unless told. */
  readonly threads?: number;
}

/** A runtime, and how to end it. */
export interface NodeRuntime {
  readonly runtime: Runtime;
  /** Why its device is the one: one sentence for people. */
  readonly reason: string;
  /** Frees all memory and the device: a process that is done ends. */
  close(): void;
}

/**
 * Opens a device and makes it the one that new tensors live on.
 * @throws UnsupportedError when "webgpu" is asked for and there is no driver, or "wasm" and there is none
 */
export async function openRuntime(
  choice: NodeDeviceChoice = "auto",
  options: NodeRuntimeOptions = {},
): Promise<NodeRuntime> {
  const { tuning = tuningFiles(), memoryBudgetMiB = Infinity, recovers = true, threads } = options;
  const { device, reason } = await openDevice(choice, threads);
  const runtime = createRuntime(device, {
    tuning: await RuntimeTuning.load(device.info, tuning),
    memoryBudgetBytes: memoryBudgetMiB * 2 ** 20,
    ...(recovers ? { reopen: async () => (await openDevice(choice, threads)).device } : {}),
  });
  setDefaultRuntime(runtime);
  const close = (): void => {
    setDefaultRuntime(null);
    runtime.destroy();
    runtime.device.destroy();
  };
  return { runtime, reason, close };
}

async function openDevice(choice: NodeDeviceChoice, threads: number | undefined): Promise<ChosenDevice> {
  const asked = `The device "${choice}" was asked for.`;
  switch (choice) {
    case "reference":
      return { device: new ReferenceDevice(), reason: asked };
    case "webgpu":
      return { device: await openWebGpuDevice({ gpu: await openDawn(), allowSoftware: true }), reason: asked };
    case "wasm":
      return { device: await openWasmDevice(wasmThreads(threads)), reason: asked };
    case "auto": {
      const openCpu = (): Promise<Device> => openWasmDevice(wasmThreads(threads));
      const opening = openDawn().then((found) => openWebGpuDevice({ gpu: found, allowSoftware: false }));
      const gpu = await unlessUnsupported(opening);
      if (gpu !== null) return await chooseDevice(gpu, openCpu);
      const cpu = await unlessUnsupported(openCpu());
      const reason = "There is no GPU, so the CPU computes";
      if (cpu !== null) return { device: cpu, reason: `${reason}.` };
      return { device: new ReferenceDevice(), reason: `${reason}, without WebAssembly's vectors: that is slow.` };
    }
  }
}

/** What is opened, or null where this machine has no such device. */
async function unlessUnsupported(opening: Promise<Device>): Promise<Device | null> {
  try {
    return await opening;
  } catch (error) {
    if (error instanceof UnsupportedError) return null;
    throw error;
  }
}
