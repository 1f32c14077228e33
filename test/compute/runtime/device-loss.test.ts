import { describe, expect, test } from "vitest";
import { DeviceLostError } from "../../../src/base/errors.ts";
import { Random } from "../../../src/base/random.ts";
import type { Device } from "../../../src/compute/device/device.ts";
import { ReferenceDevice } from "../../../src/compute/device/reference/reference-device.ts";
import { createRuntime } from "../../../src/compute/runtime/graph-runtime.ts";
import { openNodeWebGpu, webGpuMissing } from "../device/devices.ts";
import { EagerTraining, GptTraining, lossesOf } from "./training.ts";

const STEPS = 12;
const devices = [
  { name: "reference", missing: undefined, open: async (): Promise<Device> => new ReferenceDevice(), runs: 4 },
  { name: "webgpu", missing: webGpuMissing, open: openNodeWebGpu, runs: 3 },
];
const trainings = [
  { kind: "compiled steps", Training: GptTraining },
  { kind: "eager steps", Training: EagerTraining },
];

for (const { name, missing, open, runs } of devices) {
  describe.skipIf(missing !== undefined)(name, () => {
    for (const { kind, Training } of trainings) {
      test(`${kind} give the same losses when the device is lost at any moment`, async () => {
        const quiet = createRuntime(await open());
        const expected = await lossesOf(new Training(quiet), STEPS);
        quiet.destroy();
        quiet.device.destroy();
        for (let run = 0; run < runs; run++) {
          const random = new Random(7, name, kind, run);
          const runtime = createRuntime(await open(), { reopen: open });
          const training = new Training(runtime);
          const losses: number[] = [];
          const lostAt = random.below(STEPS);
          for (let step = 0; step < STEPS; step++) {
            const next = training.next();
            if (step === lostAt) setTimeout(() => runtime.device.destroy(), random.uniform() * 20);
            losses.push(await next);
          }
          expect(losses).toEqual(expected);
          runtime.destroy();
          runtime.device.destroy();
        }
      });
    }
  });
}

test("several losses in one run, and a device of another kind", async () => {
  const runtime = createRuntime(new ReferenceDevice(), { reopen: async () => new ReferenceDevice() });
  const expected = await lossesOf(new GptTraining(createRuntime(new ReferenceDevice())), STEPS);
  const again = new GptTraining(runtime);
  const losses: number[] = [];
  for (let step = 0; step < STEPS; step++) {
    if (step % 3 === 1) runtime.device.destroy();
    losses.push(await again.next());
  }
  expect(losses).toEqual(expected);
  expect(runtime.snapshot().deviceLosses).toBe(4);
});

test("a device that is lost too often is given up, with a reason", async () => {
  const runtime = createRuntime(new ReferenceDevice(), { reopen: async () => new ReferenceDevice() });
  const training = new EagerTraining(runtime);
  const lose = async (): Promise<void> => {
    for (let loss = 0; loss < 9; loss++) {
      await training.next();
      runtime.device.destroy();
    }
  };
  await expect(lose()).rejects.toThrow(/lost 6 times in 10 minutes/);
  expect(await runtime.lost).toBeInstanceOf(DeviceLostError);
});

test("without another device a loss is an error", async () => {
  const runtime = createRuntime(new ReferenceDevice());
  const training = new EagerTraining(runtime);
  await training.next();
  runtime.device.destroy();
  await expect(training.next()).rejects.toThrow(DeviceLostError);
});
