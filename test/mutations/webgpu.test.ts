/** Edited models on WebGPU in Node: the losses of the reference device. */
import { afterAll, expect, test } from "vitest";
import { createRuntime } from "../../src/compute/runtime/graph-runtime.ts";
import type { Runtime } from "../../src/index.ts";
import { openNodeWebGpu, webGpuMissing } from "../compute/device/devices.ts";
import { deviceRuntime } from "../compute/tensor/test-runtimes.ts";
import { differences } from "./judge.ts";
import { MUTATIONS } from "./models.ts";
import { trainCompiled } from "./training.ts";

const reference: Runtime = deviceRuntime();
const device = webGpuMissing === undefined ? await openNodeWebGpu() : null;
const runtime = device && createRuntime(device);
afterAll(() => {
  reference.destroy();
  runtime?.destroy();
  device?.destroy();
});

for (const mutation of MUTATIONS) {
  const name = `${mutation.name}: the losses of the reference device on webgpu in Node`;
  if (runtime === null || (mutation.isHalf === true && !runtime.device.info.hasFloat16)) {
    test.skip(`${name} (${webGpuMissing ?? "it has no float16"})`, () => {});
    continue;
  }
  test(name, { timeout: 120_000 }, async () => {
    const expected = await trainCompiled(mutation, reference);
    expect(differences(await trainCompiled(mutation, runtime), expected)).toEqual([]);
  });
}
