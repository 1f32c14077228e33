/** Choosing what a tab computes on, and saying why. */
import { UnsupportedError } from "../../base/errors.ts";
import type { Device } from "../../compute/device/device.ts";
import { ReferenceDevice } from "../../compute/device/reference/reference-device.ts";
import { openWebGpuDevice, type WebGpuOptions } from "../../compute/device/webgpu/open-webgpu-device.ts";
import { chooseDevice, type ChosenDevice } from "../choice/choose-device.ts";
import type { DeviceChoice } from "./engine-api.ts";
import { wasmThreads } from "./wasm-threads.ts";

export interface OpenDeviceOptions extends Pick<WebGpuOptions, "clock" | "deadlineMs"> {
  /** Of the CPU that compute by WebAssembly, where the page is isolated: one a processor unless told. */
  readonly threads?: number | undefined;
  /** Whether a GPU that may be slow is compared with the CPU: yes unless told. */
  readonly races?: boolean;
}

/**
 * `auto`: a hardware GPU, else the CPU by WebAssembly, else by JavaScript. Where it is not plain that the GPU is faster, a
 * race of some tenths of a second decides. A GPU emulated on the CPU is used only when asked for: the CPU itself is faster.
 *
 * @throws UnsupportedError for a device that was asked for by name and is not there
 */
export async function openDevice(choice: DeviceChoice, options: OpenDeviceOptions = {}): Promise<ChosenDevice> {
  const { threads, races = true, ...waiting } = options;
  if (choice === "reference")
    return { device: new ReferenceDevice(), reason: "The CPU without WebAssembly was asked for." };
  if (choice === "wasm") return { device: await openWasm(threads), reason: "The CPU was asked for." };
  const gpu = (navigator as Partial<Navigator>).gpu;
  if (!gpu) {
    if (choice === "webgpu") throw new UnsupportedError("device: WebGPU was asked for and this browser has none");
    return cpu("This browser has no WebGPU, so this tab computes on the CPU: slower, and just as welcome.", threads);
  }
  const device = await openWebGpuDevice({ gpu, allowSoftware: true, ...waiting }).catch((error: unknown) => {
    if (choice === "webgpu") throw error;
    return null;
  });
  if (device === null) {
    return cpu(
      "This browser cannot use a GPU here, so this tab computes on the CPU: slower, and just as welcome.",
      threads,
    );
  }
  const { isSoftware } = device.info;
  if (choice === "webgpu") return { device, reason: `${isSoftware ? "An emulated" : "The"} GPU was asked for.` };
  if (!isSoftware && !races) return { device, reason: `The GPU (${device.info.name}) computes.` };
  if (!isSoftware) return await chooseDevice(device, () => openWasm(threads));
  device.destroy();
  return cpu(
    "This browser's GPU is emulated on the processor, so this tab computes on the CPU directly, which is faster.",
    threads,
  );
}

/** The CPU, as fast as this browser lets it be. */
async function cpu(reason: string, threads?: number): Promise<ChosenDevice> {
  try {
    return { device: await openWasm(threads), reason };
  } catch (error) {
    if (!(error instanceof UnsupportedError)) throw error;
    return { device: new ReferenceDevice(), reason: `${reason} Without WebAssembly's vectors that is slow.` };
  }
}

/** Its code is fetched by those who need it. */
async function openWasm(threads?: number): Promise<Device> {
  const { openWasmDevice } = await import("../../compute/device/wasm/open-wasm-device.ts");
  return openWasmDevice(wasmThreads(threads));
}
