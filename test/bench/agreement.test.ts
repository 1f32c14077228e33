import { expect, test } from "vitest";
import { agreementOf, relativeDifference, worstDifference } from "../../bench/agreement.ts";

const floats = (...values: number[]) => Float32Array.from(values);

test("a difference is a share of the largest value that was expected", () => {
  expect(relativeDifference(floats(1, -4), floats(1.5, -4))).toBe(0.125);
  expect(relativeDifference(floats(0, 0), floats(0, 0))).toBe(0);
});

test("NaN, and another number of values, do not compare", () => {
  expect(relativeDifference(floats(1, Number.NaN), floats(1, 2))).toBeNaN();
  expect(relativeDifference(floats(1, 2), floats(1, Number.NaN))).toBeNaN();
  expect(relativeDifference(floats(1, 2), floats(1))).toBeNaN();
});

test("of several results the worst counts, and one that is missing does not compare", () => {
  expect(worstDifference([floats(1), floats(2)], [floats(1), floats(3)])).toBe(0.5);
  expect(worstDifference([floats(1), floats(2)], [floats(1)])).toBeNaN();
  expect(worstDifference([floats(1), floats(Number.NaN)], [floats(1), floats(3)])).toBeNaN();
});

test("a disagreement is told loudly", () => {
  expect(agreementOf(2e-7)).toBe("agrees within 2e-7");
  expect(agreementOf(0.125)).toBe("DISAGREES by 1.3e-1");
  expect(agreementOf(Number.NaN)).toBe("DISAGREES: results that do not compare");
});
