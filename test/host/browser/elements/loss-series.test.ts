import { expect, test } from "vitest";
import { describeLoss, lossSeries } from "../../../../src/host/browser/elements/loss-series.ts";

const line = (count: number, slope: number): { step: number; loss: number }[] =>
  Array.from({ length: count }, (_, at) => ({ step: at + 1, loss: 10 + slope * at }));

test("a straight line keeps its trend in the middle, where one average alone would trail", () => {
  const series = lossSeries(line(201, -0.02), 1_000);
  // Both averages trail by keep / (1 - keep) steps in opposite directions; what is left is their start, e^-10 of it.
  expect(series.smooth[100]).toBeCloseTo(series.losses[100] ?? 0, 3);
});

test("a flat curve has a flat trend from its first point on", () => {
  const series = lossSeries(line(50, 0), 1_000);
  for (const value of series.smooth) expect(value).toBeCloseTo(10, 10);
});

test("steps done again after a rollback replace those before it", () => {
  const again = [...line(10, -1), { step: 6, loss: 1 }, { step: 7, loss: 2 }];
  const series = lossSeries(again, 1_000);
  expect(series.steps).toEqual([1, 2, 3, 4, 5, 6, 7]);
  expect(series.losses.slice(-2)).toEqual([1, 2]);
});

test("a long history is thinned to the points asked for, and keeps the newest", () => {
  const series = lossSeries(line(5_001, -0.001), 800);
  expect(series.steps.length).toBeLessThanOrEqual(800);
  expect(series.steps.length).toBeGreaterThan(400);
  expect(series.steps.at(-1)).toBe(5_001);
  expect(series.smooth).toHaveLength(series.steps.length);
});

test("losses that are no numbers are left out", () => {
  const series = lossSeries([...line(2, 0), { step: 3, loss: Number.NaN }], 10);
  expect(series.steps).toEqual([1, 2]);
});

test("the curve is told in a sentence", () => {
  expect(describeLoss(lossSeries([], 10))).toBe("Loss curve: no step yet.");
  expect(describeLoss(lossSeries(line(1, 0), 10))).toBe("Loss curve: 10.00 at step 1, now 10.00 at step 1.");
});
