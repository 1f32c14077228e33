/**
 * A training goes on, with the same losses, when its device is lost. `HEARTH_LOSS_RUNS=50` loses it at that many moments
 * for each device and kind of step, 200 in all, instead of a few.
 */
import { describe, expect, test } from "vitest";
import { DeviceLostError } from "../../../src/base/errors.ts";
import { Random } from "../../../src/base/random.ts";
import { ReferenceDevice } from "../../../src/compute/device/reference/reference-device.ts";
import { createRuntime } from "../../../src/compute/runtime/graph-runtime.ts";
import { RUNTIME_DEVICES } from "../device/devices.ts";
import { EagerTraining, GptTraining, lossesOf } from "./training.ts";

const STEPS = 12;
const RUNS = Number(process.env["HEARTH_LOSS_RUNS"] ?? 0);
/** A run takes up to some seconds on a busy machine. */
const TIMEOUT_MS = 60_000 + RUNS * 30_000;
const MOMENTS = RUNS || 4;
const trainings = [
  { kind: "compiled steps", Training: GptTraining },
  { kind: "eager steps", Training: EagerTraining },
];

for (const { name, missing, open } of RUNTIME_DEVICES) {
  describe.skipIf(missing !== undefined)(name, () => {
    for (const { kind, Training } of trainings) {
      test(`${kind} give the same losses when the device is lost at any moment`, { timeout: TIMEOUT_MS }, async () => {
        const quiet = createRuntime(await open());
        const { expected, stepMs } = await timed(new Training(quiet));
        quiet.destroy();
        quiet.device.destroy();
        let lost = 0;
        for (let run = 0; run < MOMENTS; run++) {
          const random = new Random(7, name, kind, run);
          const runtime = createRuntime(await open(), { reopen: open });
          const training = new Training(runtime);
          const losses: number[] = [];
          const lostAt = random.below(STEPS - 4);
          for (let step = 0; step < STEPS; step++) {
            const next = training.next();
            if (step === lostAt) void moment(random, stepMs).then(() => runtime.device.destroy());
            losses.push(await next);
          }
          expect(losses, `run ${run}, lost in step ${lostAt}`).toEqual(expected);
          lost += runtime.snapshot().deviceLosses;
          runtime.destroy();
          runtime.device.destroy();
        }
        if (RUNS > 0) console.log(`${name}, ${kind}: ${MOMENTS} runs, ${lost} devices lost before the end`);
        // Where all of a run is microtasks, the loop turns when it is over: then the loss is nobody's.
        expect(lost).toBeGreaterThan(0);
      });
    }
  });
}

/** A moment within a step, by turns of the event loop, or of its microtasks: some steps are over before it turns. */
async function moment(random: Random, stepMs: number): Promise<void> {
  const isMicrotasks = random.below(2) === 0;
  const turns = random.below(isMicrotasks ? 200 : Math.max(2, Math.ceil(stepMs)));
  for (let turn = 0; turn < turns; turn++) {
    if (isMicrotasks) await Promise.resolve();
    else await new Promise((resolve) => setImmediate(resolve));
  }
}

/** The losses of a run that nothing happens to, and its median step: the first ones compile. */
async function timed(training: { next(): Promise<number> }): Promise<{ expected: number[]; stepMs: number }> {
  const [expected, times] = [[] as number[], [] as number[]];
  for (let step = 0; step < STEPS; step++) {
    const startMs = performance.now();
    expected.push(await training.next());
    times.push(performance.now() - startMs);
  }
  return { expected, stepMs: times.sort((a, b) => a - b)[STEPS / 2] ?? 0 };
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
