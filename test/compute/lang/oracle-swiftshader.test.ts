/** SwiftShader's subgroups have 4 lanes, where lavapipe's have 8. It runs in a process of its own. */
import { existsSync } from "node:fs";
import { expect, test } from "vitest";
import type { Random } from "../../../src/base/random.ts";
import type { Kernel } from "../../../src/compute/lang/kernel.ts";
import { openNodeWebGpu } from "../device/devices.ts";
import { checkKernels, subgroupSizeOf } from "./check-kernels.ts";
import { randomWorkgroupKernel } from "./random-workgroup-kernel.ts";

const DRIVERS = ["/usr/lib/chromium/vk_swiftshader_icd.json", "/opt/google/chrome/vk_swiftshader_icd.json"];
const driver = DRIVERS.find((path) => existsSync(path));
const KERNELS = 10;

test.skipIf(driver === undefined)(
  `the WGSL of ${KERNELS} random kernels computes on SwiftShader what they mean, in workgroups (seeds from 1)`,
  { timeout: 120_000 },
  async () => {
    process.env["VK_ICD_FILENAMES"] = driver;
    const device = await openNodeWebGpu();
    expect(device.info.name).toMatch(/swiftshader/i);
    const { hasSubgroups } = device.info;
    const size = hasSubgroups ? await subgroupSizeOf(device) : 32;
    const make = (random: Random): Kernel => randomWorkgroupKernel(random, hasSubgroups);
    await checkKernels(device, { first: 1, count: KERNELS }, make, size);
    device.destroy();
  },
);
