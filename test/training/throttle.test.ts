import { expect, test } from "vitest";
import type { VirtualClock } from "../../src/network/transport/simulated/virtual-clock.ts";
import type { MemberEngine } from "../../src/training/member.ts";
import { throttled } from "../../src/training/throttle.ts";
import { virtualClock } from "../network/support/virtual.ts";

function engineOn(clock: VirtualClock): MemberEngine {
  return {
    name: "test",
    parameterCount: 1,
    stateFloats: 2,
    slots: 4,
    slotsPerSecond: 10,
    initialParameters: () => new Float32Array(1),
    readBack: async () => new Uint8Array(4),
    update: async ({ parameters, state }) => ({ parameters, state }),
    slot: async () => {
      await new Promise<void>((resolve) => clock.after(100, resolve));
      return { loss: 1, gradient: new Float32Array(1) };
    },
  };
}

test("an engine with a quarter of the device's time rests three times as long as it computes, and says so", async () => {
  const clock = virtualClock();
  const engine = throttled(engineOn(clock), () => 0.25, clock);
  expect(engine.slotsPerSecond).toBe(2.5);
  const startMs = clock.nowMs();
  await clock.run(engine.slot(new Float32Array(1), 1, 0));
  expect(clock.nowMs() - startMs).toBeCloseTo(400, 6);
});

test("a share that changes counts from the next slot on, and a whole one takes no rest", async () => {
  const clock = virtualClock();
  let share = 1;
  const engine = throttled(engineOn(clock), () => share, clock);
  const slotMs = async (): Promise<number> => {
    const startMs = clock.nowMs();
    await clock.run(engine.slot(new Float32Array(1), 1, 0));
    return clock.nowMs() - startMs;
  };
  expect(await slotMs()).toBeCloseTo(100, 6);
  share = 0.5;
  expect(await slotMs()).toBeCloseTo(200, 6);
  expect(engine.slotsPerSecond).toBe(5);
});

test("buckets of gradients leave before the rest", async () => {
  const clock = virtualClock();
  const buckets: number[] = [];
  const inner: MemberEngine = {
    ...engineOn(clock),
    slot: async (_parameters, _step, _slot, onBucket) => {
      await new Promise<void>((resolve) => clock.after(100, resolve));
      onBucket?.(new Float32Array(1));
      return { loss: 1, gradient: new Float32Array(1) };
    },
  };
  const startMs = clock.nowMs();
  const engine = throttled(inner, () => 0.5, clock);
  await clock.run(engine.slot(new Float32Array(1), 1, 0, () => buckets.push(clock.nowMs() - startMs)));
  expect(buckets).toEqual([100]);
});
