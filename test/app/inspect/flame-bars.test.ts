import { expect, test } from "vitest";
import { flameBars, keptInView, zoomedSpan } from "../../../app/inspect/flame-bars.ts";

test("bars stand side by side, as wide as their shares", () => {
  expect(flameBars([1, 0, 3])).toEqual([
    { start: 0, share: 0.25 },
    { start: 0.25, share: 0 },
    { start: 0.25, share: 0.75 },
  ]);
  expect(flameBars([0, 0]).map(({ share }) => share)).toEqual([0.5, 0.5]);
  expect(flameBars([])).toEqual([]);
});

test("zooming keeps the place that it is about, and stays within the whole", () => {
  expect(zoomedSpan({ from: 0, to: 1 }, 2, 0.25)).toEqual({ from: 0.125, to: 0.625 });
  expect(zoomedSpan({ from: 0.5, to: 1 }, 1 / 4, 0.9)).toEqual({ from: 0, to: 1 });
  const { from, to } = zoomedSpan({ from: 0, to: 1 }, 1e9, 0.3);
  expect([from <= 0.3, to >= 0.3, to - from]).toEqual([true, true, expect.closeTo(0.001)]);
});

test("a bar outside comes into view with the least move, its start first", () => {
  const span = { from: 0.4, to: 0.6 };
  expect(keptInView(span, { start: 0.45, share: 0.1 })).toEqual(span);
  expect(keptInView(span, { start: 0.1, share: 0.1 }).from).toBeCloseTo(0.1);
  expect(keptInView(span, { start: 0.8, share: 0.1 }).to).toBeCloseTo(0.9);
  expect(keptInView(span, { start: 0.7, share: 0.3 }).from).toBeCloseTo(0.7);
});
