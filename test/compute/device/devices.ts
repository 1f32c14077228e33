/** The devices that tests in Node run on. */
import { checkingKernels, KERNELS_FOLDER } from "./checking-device.ts";
import type { Device } from "../../../src/compute/device/device.ts";
import { ReferenceDevice } from "../../../src/compute/device/reference/reference-device.ts";
import { openWasmDevice } from "../../../src/compute/device/wasm/open-wasm-device.ts";
import { openWebGpuDevice } from "../../../src/compute/device/webgpu/open-webgpu-device.ts";
import { dawnUnavailable, openDawn } from "../../../src/host/node/dawn.ts";

/** Why there is no WebGPU here, for the names of skipped tests; undefined where there is. */
export const webGpuMissing: string | undefined = dawnUnavailable();

/**
 * A WebGPU device of Dawn's, most likely a software one. Mesa's is told to compile plainly, for short vectors: tests run
 * many small kernels once, and this compiles them three times as fast (70 ms each, where it took 220).
 */
export async function openNodeWebGpu(): Promise<Device> {
  process.env["GALLIVM_PERF"] ??= "nopt";
  process.env["LP_NATIVE_VECTOR_WIDTH"] ??= "128";
  return checked(await openWebGpuDevice({ gpu: await openDawn(), allowSoftware: true }));
}

/** The processor, by WebAssembly. */
export async function openWasm(): Promise<Device> {
  return checked(await openWasmDevice());
}

/** Where what a runtime does with memory and losses has to hold; `missing` says why there is no such device here. */
export const RUNTIME_DEVICES: readonly {
  readonly name: string;
  readonly missing: string | undefined;
  readonly open: () => Promise<Device>;
}[] = [
  { name: "reference", missing: undefined, open: async () => new ReferenceDevice() },
  { name: "wasm", missing: undefined, open: openWasm },
  { name: "webgpu", missing: webGpuMissing, open: openNodeWebGpu },
];

/** `device`, checking each kernel if `npm run kernels` asks for it. */
function checked(device: Device): Device {
  return KERNELS_FOLDER === undefined ? device : checkingKernels(device, KERNELS_FOLDER);
}
