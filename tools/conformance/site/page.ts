/** The page's half of conformance in a browser: loads the fixtures, runs all cases on its GPU, tells of each. */
import { describeError, OptionError, UnsupportedError } from "../../../src/base/errors.ts";
import type { Device } from "../../../src/compute/device/device.ts";
import { openWasmDevice } from "../../../src/compute/device/wasm/open-wasm-device.ts";
import { openWebGpuDevice } from "../../../src/compute/device/webgpu/open-webgpu-device.ts";
import { createRuntime } from "../../../src/compute/runtime/graph-runtime.ts";
import { loadFixtures } from "../fixtures.ts";
import { runConformance } from "../run-conformance.ts";
import type { CaseResult } from "../run-conformance.ts";

/** How it ended: after the last case, or before. */
export type PageOutcome = { readonly deviceName: string } | { readonly error: string };

/** What the program outside puts there. */
declare const hearthConformance: (result: CaseResult | PageOutcome) => Promise<void>;

/** The one that the address names. */
async function openDevice(): Promise<Device> {
  if (new URLSearchParams(location.search).get("device") === "wasm") return openWasmDevice();
  const { gpu } = navigator as Partial<Navigator>;
  if (!gpu) throw new UnsupportedError("conformance: this browser has no WebGPU");
  return openWebGpuDevice({ gpu, allowSoftware: true });
}

async function run(): Promise<PageOutcome> {
  const device = await openDevice();
  const fixtures = await loadFixtures(async (name) => {
    const response = await fetch(`/fixtures/${name}`);
    if (!response.ok) throw new OptionError(`fixtures: ${name}: expected a file, found status ${response.status}`);
    return new Uint8Array(await response.arrayBuffer());
  });
  await runConformance(createRuntime(device), fixtures, (result) => void hearthConformance(result));
  return { deviceName: device.info.name };
}

await hearthConformance(await run().catch((error: unknown) => ({ error: describeError(error) })));
