/** The devices that tests in Node run on. */
import type { Device } from "../../../src/compute/device/device.ts";
import { openWebGpuDevice } from "../../../src/compute/device/webgpu/open-webgpu-device.ts";
import { dawnUnavailable, openDawn } from "../../../src/host/node/dawn.ts";

/** Why there is no WebGPU here, for the names of skipped tests; undefined where there is. */
export const webGpuMissing: string | undefined = dawnUnavailable();

/** A WebGPU device of Dawn's, most likely a software one. */
export async function openNodeWebGpu(): Promise<Device> {
  return await openWebGpuDevice({ gpu: await openDawn(), allowSoftware: true });
}
