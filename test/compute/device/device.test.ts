import { test } from "vitest";
import { NullDevice } from "../../../src/compute/device/null/null-device.ts";
import { ReferenceDevice } from "../../../src/compute/device/reference/reference-device.ts";
import { deviceSuite, type SuiteRunner } from "./device-suite.ts";
import { openNodeWebGpu, openWasm, webGpuMissing } from "./devices.ts";

const runner: SuiteRunner = {
  test: (name, run) => test(name, run),
  skip: (name) => test.skip(name, () => {}),
};

deviceSuite(runner, { name: "reference", open: async () => new ReferenceDevice() });

deviceSuite(runner, { name: "wasm", open: openWasm });

deviceSuite(runner, {
  name: "null",
  open: async () => new NullDevice(),
  computesNothing: "it runs nothing and reads zeros",
});

if (webGpuMissing === undefined) deviceSuite(runner, { name: "webgpu", open: openNodeWebGpu });
else test.skip(`webgpu: the device suite (skipped: ${webGpuMissing})`, () => {});
