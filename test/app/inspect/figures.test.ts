import { expect, test } from "vitest";
import { formatCount, formatRate, formatShare, formatTime } from "../../../app/inspect/figures.ts";

test("figures have three digits and a unit", () => {
  expect([0, 999, 1_000, 1_234_567, 999_999].map(formatCount)).toEqual(["0", "999", "1.00 k", "1.23 M", "1.00 M"]);
  expect([0, 0.0123, 0.9999, 4.5, 123.4, 2_000].map(formatTime)).toEqual([
    "0 µs",
    "12.3 µs",
    "1.00 ms",
    "4.50 ms",
    "123 ms",
    "2.00 s",
  ]);
  expect(formatShare(0.1234)).toBe("12.3 %");
});

test("a rate needs a time: a clock that says 0 tells none", () => {
  expect(formatRate(5e6, 2, "FLOP/s")).toBe("2.50 GFLOP/s");
  expect(formatRate(1, 2_000, "B/s")).toBe("1 B/s");
  expect([formatRate(1, 0, "B/s"), formatRate(1, null, "B/s")]).toEqual(["–", "–"]);
});
