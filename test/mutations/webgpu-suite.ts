/**
 * Edited models on WebGPU in Node: the losses of the reference device. In files of their own for two processes: nearly
 * all of the time goes into compiling kernels, which Mesa's driver does one after another.
 */
import { afterAll, expect, test } from "vitest";
import { createRuntime } from "../../src/compute/runtime/graph-runtime.ts";
import type { Runtime } from "../../src/index.ts";
import { openNodeWebGpu, webGpuMissing } from "../compute/device/devices.ts";
import { deviceRuntime } from "../compute/tensor/test-runtimes.ts";
import { differences } from "./judge.ts";
import type { Mutation } from "./mutation.ts";
import { trainCompiled } from "./training.ts";

/** A test for each of `mutations`. */
export async function webGpuSuite(mutations: readonly Mutation[]): Promise<void> {
  const reference: Runtime = deviceRuntime();
  const device = webGpuMissing === undefined ? await openNodeWebGpu() : null;
  const runtime = device && createRuntime(device);
  afterAll(() => {
    reference.destroy();
    runtime?.destroy();
    device?.destroy();
  });
  for (const mutation of mutations) {
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
}
