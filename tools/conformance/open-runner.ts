/** From the name of a device to something that runs all cases there. */
import { UnsupportedError } from "../../src/base/errors.ts";
import type { Device } from "../../src/compute/device/device.ts";
import { ReferenceDevice } from "../../src/compute/device/reference/reference-device.ts";
import { openWasmDevice } from "../../src/compute/device/wasm/open-wasm-device.ts";
import { openWebGpuDevice } from "../../src/compute/device/webgpu/open-webgpu-device.ts";
import { createRuntime } from "../../src/compute/runtime/graph-runtime.ts";
import { openDawn } from "../../src/host/node/dawn.ts";
import { runInChromium } from "./chromium.ts";
import { loadFixtures } from "./fixtures.ts";
import { readFixtureFile } from "./folder.ts";
import type { ConformanceDevice } from "./options.ts";
import { runConformance } from "./run-conformance.ts";
import type { CaseResult } from "./run-conformance.ts";

export interface ConformanceRun {
  /** What computed, for people. */
  readonly deviceName: string;
  readonly results: readonly CaseResult[];
}

/** @throws UnsupportedError where the device is not there; OptionError, CorruptDataError when the fixtures cannot be read */
export async function runOn(
  device: ConformanceDevice,
  folder: string,
  onResult: (result: CaseResult) => void,
): Promise<ConformanceRun> {
  switch (device) {
    case "reference":
      return runHere(new ReferenceDevice(), folder, onResult);
    case "webgpu-node":
      return runHere(await openWebGpuDevice({ gpu: await openDawn(), allowSoftware: true }), folder, onResult);
    case "webgpu-chromium":
      return runInChromium("webgpu", folder, onResult);
    case "wasm-node":
      return runHere(await openWasmDevice(), folder, onResult);
    case "wasm-chromium":
      return runInChromium("wasm", folder, onResult);
    default:
      device satisfies never;
      throw new UnsupportedError(`--device ${String(device)}: hearth has no such device`);
  }
}

async function runHere(
  device: Device,
  folder: string,
  onResult: (result: CaseResult) => void,
): Promise<ConformanceRun> {
  const runtime = createRuntime(device);
  try {
    const fixtures = await loadFixtures((name) => readFixtureFile(folder, name));
    return { deviceName: device.info.name, results: await runConformance(runtime, fixtures, onResult) };
  } finally {
    runtime.destroy();
    device.destroy();
  }
}
