import { expect, test } from "vitest";
import { Random } from "../../../src/base/random.ts";
import type { Device } from "../../../src/compute/device/device.ts";
import { ReferenceDevice } from "../../../src/compute/device/reference/reference-device.ts";
import type { Kernel } from "../../../src/compute/lang/kernel.ts";
import { openNodeWebGpu, webGpuMissing } from "../device/devices.ts";
import type { Bounded } from "./bounded.ts";
import { randomArrays, randomKernel } from "./random-kernel.ts";
import { runBounded } from "./run-bounded.ts";

const KERNELS = Number(process.env["HEARTH_ORACLE_KERNELS"] ?? 30);
const SEED = Number(process.env["HEARTH_ORACLE_SEED"] ?? 1);

type Arrays = (Float32Array | Int32Array | Uint32Array)[];

/** The arrays after the kernel. */
async function runOn(device: Device, kernel: Kernel, arrays: Arrays): Promise<Arrays> {
  const buffers = arrays.map((array) => {
    const buffer = device.createBuffer(array.byteLength);
    device.write(buffer, new Uint8Array(array.buffer as ArrayBuffer));
    return buffer;
  });
  const made = await device.createKernel(kernel);
  device.submit(device.record([{ kind: "dispatch", kernel: made, buffers }]));
  const out = await Promise.all(buffers.map((buffer) => device.read(buffer)));
  for (const buffer of buffers) buffer.destroy();
  return out.map(({ buffer }, i) => {
    if (arrays[i] instanceof Float32Array) return new Float32Array(buffer);
    return arrays[i] instanceof Int32Array ? new Int32Array(buffer) : new Uint32Array(buffer);
  });
}

/** How many results were decided; throws at the first outside its bound. */
function compare(found: Arrays, expected: Bounded[][], context: string): number {
  let decided = 0;
  for (const [binding, values] of expected.entries()) {
    for (const [i, { value, bound }] of values.entries()) {
      if (binding < 3 || bound === Infinity) continue;
      const got = found[binding]?.[i] ?? Number.NaN;
      // The store itself rounds once more.
      const allowed = found[binding] instanceof Float32Array ? bound + Math.abs(value) * 2 ** -24 : 0;
      if (!(Math.abs(got - value) <= allowed)) {
        expect.fail(`${context}: binding ${binding}[${i}]: expected ${value} within ${allowed}, found ${got}`);
      }
      decided += 1;
    }
  }
  return decided;
}

async function holds(device: Device): Promise<void> {
  let decided = 0;
  try {
    for (let seed = SEED; seed < SEED + KERNELS; seed++) {
      const random = new Random(seed, "oracle");
      const kernel = randomKernel(random);
      const arrays = randomArrays(random);
      const expected = runBounded(kernel, arrays);
      decided += compare(await runOn(device, kernel, arrays), expected, `seed ${seed}`);
    }
  } finally {
    device.destroy();
  }
  // The bounds must not be so wide that they ask nothing.
  expect(decided / (KERNELS * 3 * 96)).toBeGreaterThan(0.6);
}

test(`the JavaScript of ${KERNELS} random kernels computes what they mean (seeds from ${SEED})`, async () => {
  await holds(new ReferenceDevice());
});

test.skipIf(webGpuMissing !== undefined)(
  `the WGSL of ${KERNELS} random kernels computes what they mean (seeds from ${SEED})${
    webGpuMissing === undefined ? "" : ` (skipped: ${webGpuMissing})`
  }`,
  { timeout: 120_000 },
  async () => {
    await holds(await openNodeWebGpu());
  },
);
