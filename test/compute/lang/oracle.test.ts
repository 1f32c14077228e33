import { expect, test } from "vitest";
import type { Random } from "../../../src/base/random.ts";
import type { Device } from "../../../src/compute/device/device.ts";
import { ReferenceDevice } from "../../../src/compute/device/reference/reference-device.ts";
import { openWasmDevice } from "../../../src/compute/device/wasm/open-wasm-device.ts";
import type { Kernel } from "../../../src/compute/lang/kernel.ts";
import { openNodeWebGpu, webGpuMissing } from "../device/devices.ts";
import { allowRelaxedSimd } from "../device/wasm/relaxed-simd.ts";
import { checkKernels, subgroupSizeOf, type Seeds } from "./check-kernels.ts";
import { randomKernel } from "./random-kernel.ts";
import { randomWorkgroupKernel } from "./random-workgroup-kernel.ts";

const KERNELS = Number(process.env["HEARTH_ORACLE_KERNELS"] ?? 30);
const SEED = Number(process.env["HEARTH_ORACLE_SEED"] ?? 1);
const SEEDS: Seeds = { first: SEED, count: KERNELS };

/** Kernels with barriers take software drivers long to compile. */
const FEW: Seeds = { first: SEED, count: Math.ceil(KERNELS / 3) };

const wordsOf = ({ first, count }: Seeds): string =>
  `${count} random kernels computes what they mean (seeds from ${first})`;
const words = wordsOf(SEEDS);
const missing = webGpuMissing === undefined ? "" : ` (skipped: ${webGpuMissing})`;

async function decidedOn(device: Device, run: () => Promise<number>): Promise<void> {
  try {
    // The bounds must not be so wide that they ask nothing.
    expect(await run()).toBeGreaterThan(0.6);
  } finally {
    device.destroy();
  }
}

test(`the JavaScript of ${words}`, async () => {
  const device = new ReferenceDevice();
  await decidedOn(device, () => checkKernels(device, SEEDS, randomKernel));
});

for (const usesMultiplyAdd of allowRelaxedSimd() ? [false, true] : [false]) {
  const how = usesMultiplyAdd ? ", with fused multiply-add" : "";
  test(`the WebAssembly of ${words}${how}`, async () => {
    const device = await openWasmDevice({ usesMultiplyAdd });
    await decidedOn(device, () => checkKernels(device, SEEDS, randomKernel));
  });
}

test(`the WebAssembly of ${words}, in workgroups`, async () => {
  const device = await openWasmDevice();
  const make = (random: Random): Kernel => randomWorkgroupKernel(random, true);
  await decidedOn(device, () => checkKernels(device, SEEDS, make, 4));
});

test.skipIf(webGpuMissing !== undefined)(`the WGSL of ${words}${missing}`, { timeout: 120_000 }, async () => {
  const device = await openNodeWebGpu();
  await decidedOn(device, () => checkKernels(device, SEEDS, randomKernel));
});

for (const subgroupSize of [4, 8, 32, 64]) {
  test(`the JavaScript of ${words}, in workgroups with subgroups of ${subgroupSize}, watched for races`, async () => {
    const device = new ReferenceDevice({ subgroupSize, checksRaces: true });
    const make = (random: Random): Kernel => randomWorkgroupKernel(random, true);
    await decidedOn(device, () => checkKernels(device, SEEDS, make, subgroupSize));
  });
}

test.skipIf(webGpuMissing !== undefined)(
  `the WGSL of ${wordsOf(FEW)}, in workgroups${missing}`,
  { timeout: 120_000 },
  async () => {
    const device = await openNodeWebGpu();
    const { hasSubgroups } = device.info;
    const subgroupSize = hasSubgroups ? await subgroupSizeOf(device) : 32;
    const make = (random: Random): Kernel => randomWorkgroupKernel(random, hasSubgroups);
    await decidedOn(device, () => checkKernels(device, FEW, make, subgroupSize));
  },
);
