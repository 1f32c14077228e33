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
import { openDawn } from "./dawn.ts";
import { tuningFiles } from "./tuning-files.ts";
import { wasmThreads } from "./wasm-threads.ts";

/**
 * "auto": a hardware GPU through Dawn where there is one, else the CPU by WebAssembly, else by JavaScript. "webgpu" takes
 * an emulated GPU too.
 */
export type NodeDeviceChoice = "auto" | "webgpu" | "wasm" | "reference";

/** Options of `openRuntime`. */
export interface NodeRuntimeOptions {
  /** Where it is known which kernels are fastest on a device: files in the user's cache unless told, null for nowhere. */
  readonly tuning?: TuningStore | null;
  /** Threads that compute where the CPU does by WebAssembly: one a processor unless told. */
  readonly threads?: number;
}

/** A runtime, and how to end it. */
export interface NodeRuntime {
  readonly runtime: Runtime;
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
  const { tuning = tuningFiles(), threads } = options;
  const device = await openDevice(choice, threads);
  const runtime = createRuntime(device, { tuning: await RuntimeTuning.load(device.info, tuning) });
  setDefaultRuntime(runtime);
  const close = (): void => {
    setDefaultRuntime(null);
    runtime.destroy();
    device.destroy();
  };
  return { runtime, close };
}

async function openDevice(choice: NodeDeviceChoice, threads: number | undefined): Promise<Device> {
  switch (choice) {
    case "reference":
      return new ReferenceDevice();
    case "webgpu":
      return openWebGpuDevice({ gpu: await openDawn(), allowSoftware: true });
    case "wasm":
      return openWasmDevice(wasmThreads(threads));
    case "auto": {
      const gpu = openDawn().then((found) => openWebGpuDevice({ gpu: found, allowSoftware: false }));
      return (
        (await unlessUnsupported(gpu)) ??
        (await unlessUnsupported(openWasmDevice(wasmThreads(threads)))) ??
        new ReferenceDevice()
      );
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
