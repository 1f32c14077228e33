import { expect, test } from "vitest";
import { MemoryWatch } from "../../../src/host/browser/memory-watch.ts";
import { VirtualClock } from "../../../src/network/transport/simulated/virtual-clock.ts";
import { fakeSnapshot } from "../../app/support/memories.ts";

/** A watch in virtual time; `seed` tells one memory from another. */
function watched(): { clock: VirtualClock; watch: MemoryWatch; seen: { seed: number; shown: number; told: number[] } } {
  const clock = new VirtualClock(async () => {});
  const seen = { seed: 1, shown: 0, told: [] as number[] };
  const watch = new MemoryWatch({
    clock,
    snapshot: () => fakeSnapshot([64], 1, { deviceLosses: seen.seed }),
    show: () => void (seen.shown += 1),
    tell: (memory) => void seen.told.push(memory.deviceLosses),
  });
  return { clock, watch, seen };
}

test("memory that stays as it is is shown and told once", async () => {
  const { clock, seen } = watched();
  await clock.advance(20_000);
  expect(seen).toEqual({ seed: 1, shown: 1, told: [1] });
});

test("memory that changes all the time is shown four times a second, and told every two seconds", async () => {
  const { clock, seen } = watched();
  for (let at = 0; at < 100; at++) {
    seen.seed += 1;
    await clock.advance(100);
  }
  expect(seen.shown).toBe(41);
  expect(seen.told).toHaveLength(6);
});

test("the last change is told, however long it had to wait", async () => {
  const { clock, seen } = watched();
  seen.seed = 2;
  await clock.advance(250);
  expect(seen.told).toEqual([1]);
  await clock.advance(2_000);
  expect(seen.told).toEqual([1, 2]);
});

test("a coordinator that has forgotten is told again, at the same pace", async () => {
  const { clock, watch, seen } = watched();
  watch.forget();
  await clock.advance(1_750);
  expect(seen.told).toEqual([1]);
  await clock.advance(250);
  expect(seen.told).toEqual([1, 1]);
});

test("after its end it looks no more", async () => {
  const { clock, watch, seen } = watched();
  watch.close();
  seen.seed = 2;
  await clock.advance(10_000);
  expect(seen).toEqual({ seed: 2, shown: 1, told: [1] });
});
