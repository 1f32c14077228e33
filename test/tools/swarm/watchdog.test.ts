import { expect, test } from "vitest";
import { describeProgress, progressBar, ProgressMeter } from "../../../tools/swarm/progress.ts";
import { Watchdog, WATCHDOG_LIMITS } from "../../../tools/swarm/watchdog.ts";
import { stepLine } from "../fixtures/fake-hearth.ts";

test("a start may take three minutes and no more", () => {
  const watchdog = new Watchdog(WATCHDOG_LIMITS, 0);
  expect(watchdog.check(4, 179_000)).toBeNull();
  expect(watchdog.check(4, 181_000)).toBe("no step was committed within 180 s");
});

test("a minute without a step while two tabs live is a hang", () => {
  const watchdog = new Watchdog(WATCHDOG_LIMITS, 0);
  watchdog.check(2, 0);
  watchdog.onStep(1, 10_000);
  expect(watchdog.check(2, 69_000)).toBeNull();
  expect(watchdog.check(2, 71_000)).toBe("no step was committed for 60 s while 2 tabs lived");
});

test("one tab may wait longer, and the minute starts anew with the second", () => {
  const watchdog = new Watchdog(WATCHDOG_LIMITS, 0);
  watchdog.onStep(1, 10_000);
  expect(watchdog.check(1, 140_000)).toBeNull();
  expect(watchdog.check(2, 141_000)).toBeNull();
  expect(watchdog.check(1, 161_000)).toBe("no step was committed for 150 s");
});

test("tabs that are all frozen do not count as a hang", () => {
  const watchdog = new Watchdog(WATCHDOG_LIMITS, 0);
  watchdog.onStep(1, 10_000);
  expect(watchdog.check(0, 400_000)).toBeNull();
  expect(watchdog.check(2, 410_000)).toBeNull();
});

test("going back over and over is no progress", () => {
  const watchdog = new Watchdog(WATCHDOG_LIMITS, 0);
  for (let nowMs = 0; nowMs <= 900_000; nowMs += 1_000) {
    watchdog.onStep(1 + ((nowMs / 1_000) % 5), nowMs);
    expect(watchdog.check(2, nowMs)).toBeNull();
  }
  watchdog.onStep(2, 905_000);
  expect(watchdog.check(2, 905_000)).toContain("did not come further than step 5");
});

test("progress tells step, loss, speed, members and the time left", () => {
  const meter = new ProgressMeter(60);
  expect(describeProgress(meter.progress)).toBe("0/60  starting");
  for (let step = 1; step <= 20; step++) meter.onStep(stepLine(step, 1, 1, ["a", "b"], ""), step * 500);
  expect(describeProgress(meter.progress)).toBe("20/60  loss 2.6813  2.00 steps/s  2 members  0:20 left");
  expect(progressBar(meter.progress, 40)).toBe("[########................] 20/60  loss ");
  meter.onRollback(15);
  meter.note = "Waiting for 1 more tab to start.";
  expect(describeProgress(meter.progress)).toBe("15/60  loss 2.6813  2 members  Waiting for 1 more tab to start.");
});
