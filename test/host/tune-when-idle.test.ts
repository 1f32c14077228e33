import { expect, test } from "vitest";
import { AbortedError } from "../../src/base/errors.ts";
import { unary } from "../../src/compute/compiler/graph.ts";
import { createRuntime } from "../../src/compute/runtime/graph-runtime.ts";
import type { Runtime } from "../../src/compute/runtime/runtime.ts";
import { tuneWhenIdle } from "../../src/host/tune-when-idle.ts";
import { VirtualClock } from "../../src/network/transport/simulated/virtual-clock.ts";
import { ScriptedDevice } from "../compute/runtime/scripted-device.ts";

/** Long enough for work of the reference device, which yields by messages. */
const settle = async (): Promise<void> => {
  for (let i = 0; i < 50; i++) await new Promise((resolve) => setImmediate(resolve));
};

/** Notes at which times the device was measured. */
async function open(clock: VirtualClock): Promise<{ runtime: Runtime; measuredAtMs: number[] }> {
  const measuredAtMs: number[] = [];
  const device = new ScriptedDevice({
    msOf: ({ invocations }) => invocations / 1024,
    onMeasure: async () => void measuredAtMs.push(clock.nowMs()),
  });
  const runtime = createRuntime(device);
  await runtime.realize([unary("tanh", runtime.leaf([8192], "float32"))]);
  return { runtime, measuredAtMs };
}

test("nothing is measured until the runtime has been quiet for a while", async () => {
  const clock = new VirtualClock(settle);
  const { runtime, measuredAtMs } = await open(clock);
  const tuning = tuneWhenIdle(runtime, { clock, quietMs: 1000 });
  await clock.advance(900);
  runtime.tuning.noteSubmit();
  await clock.advance(900);
  expect(measuredAtMs).toEqual([]);
  expect(await clock.run(tuning)).toMatchObject({ tuned: 1, waiting: 0 });
  expect(measuredAtMs[0]).toBeGreaterThanOrEqual(1900);
  runtime.destroy();
});

test("it stops measuring while the runtime works, and goes on afterwards", async () => {
  const clock = new VirtualClock(settle);
  const { runtime, measuredAtMs } = await open(clock);
  const tuning = tuneWhenIdle(runtime, {
    clock,
    quietMs: 1000,
    openDevice: async () => new ScriptedDevice({
      msOf: ({ invocations }) => invocations / 1024,
      onMeasure: async () => {
        measuredAtMs.push(clock.nowMs());
        // A step begins while the third measurement runs.
        if (measuredAtMs.length === 3) runtime.tuning.noteSubmit();
      },
    }),
  }); // prettier-ignore
  expect(await clock.run(tuning)).toMatchObject({ tuned: 1 });
  const [, , third = 0, fourth = 0] = measuredAtMs;
  expect(fourth - third).toBeGreaterThanOrEqual(1000);
  runtime.destroy();
});

test("aborting ends the wait", async () => {
  const clock = new VirtualClock(settle);
  const { runtime, measuredAtMs } = await open(clock);
  const controller = new AbortController();
  const tuning = tuneWhenIdle(runtime, { clock, signal: controller.signal });
  const rejected = expect(tuning).rejects.toThrow(AbortedError);
  await clock.advance(500);
  controller.abort();
  await rejected;
  expect(measuredAtMs).toEqual([]);
  expect(runtime.tuning.isRunning).toBe(false);
  runtime.destroy();
});
