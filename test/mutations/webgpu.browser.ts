/** Edited models on a browser's own WebGPU: the losses of the reference device in the same page. */
import { expect, test } from "vitest";
import { ReferenceDevice } from "../../src/compute/device/reference/reference-device.ts";
import { openWebGpuDevice } from "../../src/compute/device/webgpu/open-webgpu-device.ts";
import { createRuntime } from "../../src/compute/runtime/graph-runtime.ts";
import { differences } from "./judge.ts";
import { MUTATIONS } from "./models.ts";
import { trainCompiled } from "./training.ts";

const reference = createRuntime(new ReferenceDevice());
const runtime = createRuntime(await openWebGpuDevice({ gpu: navigator.gpu, allowSoftware: true }));

for (const mutation of MUTATIONS) {
  const name = `${mutation.name}: the losses of the reference device on webgpu in Chromium`;
  if (mutation.isHalf === true && !runtime.device.info.hasFloat16) {
    test.skip(`${name} (it has no float16)`);
    continue;
  }
  test(name, { timeout: 120_000 }, async () => {
    const expected = await trainCompiled(mutation, reference);
    expect(differences(await trainCompiled(mutation, runtime), expected)).toEqual([]);
  });
}
