/**
 * Edited models on WebGPU in Node and on WebAssembly: the losses of the reference device. In files of their own for two processes: nearly
 * all of the time goes into compiling kernels, which Mesa's driver does one after another.
 */
import { afterAll, expect, test } from "vitest";
import { createRuntime } from "../../src/compute/runtime/graph-runtime.ts";
import type { Runtime } from "../../src/index.ts";
import { openNodeWebGpu, openWasm, webGpuMissing } from "../compute/device/devices.ts";
import { deviceRuntime } from "../compute/tensor/test-runtimes.ts";
import { differences } from "./judge.ts";
import type { Mutation } from "./mutation.ts";
import { trainCompiled, type Course } from "./training.ts";

/** Tests for each of `mutations`: on WebGPU, and on WebAssembly. */
export async function deviceSuite(mutations: readonly Mutation[]): Promise<void> {
  const reference: Runtime = deviceRuntime();
  const opened = [{ name: "webgpu in Node", device: webGpuMissing === undefined ? await openNodeWebGpu() : null }, { name: "WebAssembly", device: await openWasm() }]; // prettier-ignore
  const devices = opened.map(({ name, device }) => ({ name, device, runtime: device && createRuntime(device) }));
  afterAll(() => {
    reference.destroy();
    for (const { device, runtime } of devices) {
      runtime?.destroy();
      device?.destroy();
    }
  });
  for (const mutation of mutations) {
    let expected: Promise<Course> | undefined;
    for (const { name: where, runtime } of devices) {
      const name = `${mutation.name}: the losses of the reference device on ${where}`;
      if (runtime === null || (mutation.isHalf === true && !runtime.device.info.hasFloat16)) {
        test.skip(`${name} (${webGpuMissing ?? "it has no float16"})`, () => {});
        continue;
      }
      test(name, { timeout: 120_000 }, async () => {
        expected ??= trainCompiled(mutation, reference);
        expect(differences(await trainCompiled(mutation, runtime), await expected)).toEqual([]);
      });
    }
  }
}
