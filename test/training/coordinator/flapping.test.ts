import { expect, test } from "vitest";
import { holdMsOf } from "../../../src/training/coordinator/flapping.ts";

test("a device that keeps leaving is held back for a growing time, up to a minute", () => {
  const holds = [1, 2, 3, 4, 5, 6, 7, 8, 9].map((count) => holdMsOf({ count, atMs: 0 }, 1_000));
  expect(holds).toEqual([0, 0, 0, 5_000, 10_000, 20_000, 40_000, 60_000, 60_000]);
});

test("staying for five minutes makes up for it", () => {
  expect(holdMsOf({ count: 9, atMs: 0 }, 300_000)).toBe(0);
  expect(holdMsOf(undefined, 0)).toBe(0);
});
