import { expect, test } from "vitest";
import { areEnough, median, planSteps } from "../../bench/measure.ts";

test("the median is the middle one, whatever the order, and NaN of none", () => {
  expect(median([5, 1, 9, 3, 7])).toBe(5);
  expect(median([])).toBeNaN();
});

test("a sample takes a quarter of a second, in as many steps as that needs, and at least one", () => {
  expect(planSteps(1)).toBe(250);
  expect(planSteps(60)).toBe(4);
  expect(planSteps(9_000)).toBe(1);
});

test("steps that take no time are not run for ever", () => {
  expect(planSteps(0)).toBe(500);
});

test("five samples are enough, or fewer where one more would take too long", () => {
  expect(areEnough([250, 250, 250, 250])).toBe(false);
  expect(areEnough([250, 250, 250, 250, 250])).toBe(true);
  expect(areEnough([5_000, 5_000])).toBe(false);
  expect(areEnough([5_000, 5_000, 5_000])).toBe(true);
  expect(areEnough([60_000])).toBe(true);
});
