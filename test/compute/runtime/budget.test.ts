import { describe, expect, test } from "vitest";
import { OptionError, OutOfMemoryError } from "../../../src/base/errors.ts";
import type { Device } from "../../../src/compute/device/device.ts";
import { ReferenceDevice } from "../../../src/compute/device/reference/reference-device.ts";
import { createRuntime } from "../../../src/compute/runtime/graph-runtime.ts";
import type { PressureAnswer } from "../../../src/compute/runtime/pressure.ts";
import type { Runtime } from "../../../src/compute/runtime/runtime.ts";
import { RUNTIME_DEVICES } from "../device/devices.ts";
import { EagerTraining, GptTraining, lossesOf, type GptShape } from "./training.ts";

const STEPS = 4;
/** Activations take most of its memory, as in real ones. */
const SHAPE: GptShape = { batch: 16, context: 32, width: 32, layers: 2 };

interface Outcome {
  readonly losses: readonly number[];
  readonly snapshot: ReturnType<Runtime["snapshot"]>;
}

async function train(
  open: () => Promise<Device>,
  budget: number,
  pressure: readonly PressureAnswer[],
  shape = SHAPE,
): Promise<Outcome> {
  // prettier-ignore
  const runtime = createRuntime(await open(), { memoryBudgetBytes: budget, pressure });
  try {
    const losses = await lossesOf(new GptTraining(runtime, shape), STEPS);
    const snapshot = runtime.snapshot();
    expect(snapshot.takenBytes).toBeLessThanOrEqual(budget);
    return { losses, snapshot };
  } finally {
    runtime.destroy();
    runtime.device.destroy();
  }
}

function expectClose(found: readonly number[], expected: readonly number[]): void {
  expect(found).toHaveLength(expected.length);
  for (const [i, loss] of found.entries()) {
    expect(Math.abs(loss / (expected[i] ?? Number.NaN) - 1)).toBeLessThan(1e-5);
  }
}

for (const { name, missing, open } of RUNTIME_DEVICES) {
  describe.skipIf(missing !== undefined)(name, () => {
    test("half of the memory gives the same losses, by each answer alone and by all", async () => {
      const free = await train(open, Infinity, []);
      const half = free.snapshot.peakBytes / 2;
      for (const answer of ["recompute", "offload", "microBatches"] as const) {
        const { losses, snapshot } = await train(open, half, [answer]);
        expectClose(losses, free.losses);
        const { recomputed, offloaded, microBatched } = snapshot.pressure;
        expect({ recompute: recomputed, offload: offloaded, microBatches: microBatched }[answer]).toBeGreaterThan(0);
      }
      expectClose((await train(open, half, ["recompute", "offload", "microBatches"])).losses, free.losses);
    });
  });
}

test("an impossible budget is an error that says the smallest that would do", async () => {
  const open = async (): Promise<Device> => new ReferenceDevice();
  const small = { ...SHAPE, batch: 4 };
  for (const pressure of [
    ["recompute", "offload"],
    ["recompute", "offload", "microBatches"],
  ] as const) {
    const error = await train(open, 2 ** 18, pressure, small).catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(OutOfMemoryError);
    const { smallestBudgetBytes, holders, message } = error as OutOfMemoryError;
    expect(message).toMatch(/expected to fit a budget of 0.25 MiB, found that it needs \d+\.\d\d MiB/);
    expect(holders.length).toBeGreaterThan(1);
    const smallest = smallestBudgetBytes ?? 0;
    await train(open, smallest, pressure, small);
    await expect(train(open, smallest * 0.9, pressure, small)).rejects.toThrow(OutOfMemoryError);
  }
});

test("a budget that is lowered while training takes effect at the next step", async () => {
  const runtime = createRuntime(new ReferenceDevice());
  const expected = await lossesOf(new GptTraining(createRuntime(new ReferenceDevice()), SHAPE), 6);
  const training = new GptTraining(runtime, SHAPE);
  const losses = await lossesOf(training, 2);
  const { takenBytes, peakBytes } = runtime.snapshot();
  runtime.setBudget(peakBytes / 2);
  losses.push(...(await lossesOf(training, 2)));
  expect(runtime.snapshot().takenBytes).toBeLessThanOrEqual(peakBytes / 2);
  runtime.setBudget(null);
  losses.push(...(await lossesOf(training, 2)));
  expectClose(losses, expected);
  expect(takenBytes).toBeGreaterThan(peakBytes / 2);
});

test("what is computed op by op moves to main memory and back", async () => {
  const expected = await lossesOf(new EagerTraining(createRuntime(new ReferenceDevice())), 10);
  const runtime = createRuntime(new ReferenceDevice(), { memoryBudgetBytes: 2 ** 19 });
  const [kept, training] = [[] as Awaited<ReturnType<Runtime["realize"]>>, new EagerTraining(runtime)];
  const losses: number[] = [];
  for (let step = 0; step < 10; step++) {
    kept.push(runtime.leaf([40_000], "float32", new Float32Array(40_000).fill(step)));
    losses.push(await training.next());
  }
  expect(losses).toEqual(expected);
  expect(runtime.snapshot().hostBytes).toBeGreaterThan(10 * 160_000 - 2 ** 19);
  for (const [i, bytes] of (await runtime.read(kept)).entries()) {
    expect(new Float32Array(bytes.buffer)[39_999]).toBe(i);
  }
});

test("budgets too small for anything are refused", () => {
  expect(() => createRuntime(new ReferenceDevice(), { memoryBudgetBytes: 1000 })).toThrow(OptionError);
});
