import { expect, test } from "vitest";
import { SteadyClock } from "../../../src/training/coordinator/steady-clock.ts";

test("time goes on as the platform's does while events come often", () => {
  const clock = new SteadyClock(100);
  expect([350, 600, 600, 1_600].map((nowMs) => clock.advance(nowMs))).toEqual([350, 600, 600, 1_600]);
});

test("a jump forward counts for a second, a jump back for nothing", () => {
  const clock = new SteadyClock(0);
  expect([250, 90_000, 90_250, 10, 260].map((nowMs) => clock.advance(nowMs))).toEqual([
    250, 1_250, 1_500, 1_500, 1_750,
  ]);
});
