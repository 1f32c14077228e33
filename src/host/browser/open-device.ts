/** Choosing what a tab computes on, and saying why. */
import { UnsupportedError } from "../../base/errors.ts";
import type { Device } from "../../compute/device/device.ts";
import { ReferenceDevice } from "../../compute/device/reference/reference-device.ts";
import { openWebGpuDevice, type WebGpuOptions } from "../../compute/device/webgpu/open-webgpu-device.ts";
import type { DeviceChoice } from "./engine-api.ts";

export interface ChosenDevice {
  readonly device: Device;
  /** One sentence for people. */
  readonly reason: string;
}

/** `auto`: a hardware GPU, else the CPU. A GPU emulated on the CPU is used only when asked for: the CPU itself is faster. */
export async function openDevice(
  choice: DeviceChoice,
  waiting: Pick<WebGpuOptions, "clock" | "deadlineMs"> = {},
): Promise<ChosenDevice> {
  if (choice === "wasm") {
    throw new UnsupportedError("device: this version has no WebAssembly engine; use webgpu, reference or auto");
  }
  if (choice === "reference") return cpu("The CPU was asked for.");
  const gpu = (navigator as Partial<Navigator>).gpu;
  if (!gpu) {
    if (choice === "webgpu") throw new UnsupportedError("device: WebGPU was asked for and this browser has none");
    return cpu("This browser has no WebGPU, so this tab computes on the CPU: slower, and just as welcome.");
  }
  const device = await openWebGpuDevice({ gpu, allowSoftware: true, ...waiting }).catch((error: unknown) => {
    if (choice === "webgpu") throw error;
    return null;
  });
  if (device === null) {
    return cpu("This browser cannot use a GPU here, so this tab computes on the CPU: slower, and just as welcome.");
  }
  if (!device.info.isSoftware) return { device, reason: "This tab computes on the GPU." };
  if (choice === "webgpu") return { device, reason: "An emulated GPU was asked for." };
  device.destroy();
  return cpu(
    "This browser's GPU is emulated on the processor, so this tab computes on the CPU directly, which is faster.",
  );
}

function cpu(reason: string): ChosenDevice {
  return { device: new ReferenceDevice(), reason };
}
