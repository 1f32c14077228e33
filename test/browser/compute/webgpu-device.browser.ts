/** The device suite on a browser's own WebGPU: another implementation, limits and shader compiler than Dawn's in Node. */
import { test } from "vitest";
import { openWebGpuDevice } from "../../../src/compute/device/webgpu/open-webgpu-device.ts";
import { deviceSuite } from "../../compute/device/device-suite.ts";

deviceSuite(
  { test: (name, run) => test(name, run), skip: (name) => test.skip(name) },
  { name: "webgpu in Chromium", open: () => openWebGpuDevice({ gpu: navigator.gpu, allowSoftware: true }) },
);
