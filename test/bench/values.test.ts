import { expect, test } from "vitest";
import { indices, permuted, transposed, values } from "../../bench/cases/values.ts";

const host = (shape: number[], ...data: number[]) => ({ shape, data: Float32Array.from(data) });

test("values are a function of their labels, with the variance asked for", () => {
  const { data } = values([100, 100], 2, "a");
  expect(values([100, 100], 2, "a").data).toEqual(data);
  expect(values([100, 100], 2, "b").data).not.toEqual(data);
  const variance = data.reduce((sum, x) => sum + x * x, 0) / data.length;
  // 10^4 values, each square with a deviation of 3.6: the mean's is 0.036, and 0.2 more than five of them.
  expect(Math.abs(variance - 4)).toBeLessThan(0.2);
});

test("indices are whole numbers below their bound, all of them", () => {
  const { data } = indices([1000], 10, "a");
  expect(new Set(data)).toEqual(new Set([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]));
});

test("axes change places, and back", () => {
  expect(transposed(host([2, 3], 1, 2, 3, 4, 5, 6))).toEqual(host([3, 2], 1, 4, 2, 5, 3, 6));
  const x = values([2, 3, 4, 5], 1, "x");
  const moved = permuted(x, [0, 2, 3, 1]);
  expect(moved.shape).toEqual([2, 4, 5, 3]);
  // [1, 2, 3, 4] of x is [1, 3, 4, 2] of what became of it.
  expect(moved.data[((1 * 4 + 3) * 5 + 4) * 3 + 2]).toBe(x.data[((1 * 3 + 2) * 4 + 3) * 5 + 4]);
  expect(permuted(moved, [0, 3, 1, 2])).toEqual(x);
});
