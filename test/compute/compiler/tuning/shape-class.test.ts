import fc from "fast-check";
import { expect, test } from "vitest";
import { sizeClass, dtypeOf, shapeClassOf } from "../../../../src/compute/compiler/tuning/shape-class.ts";
import type { Problem } from "../../../../src/compute/compiler/tuning/problem.ts";

const problem: Problem = {
  kind: "contraction",
  batch: 1,
  rows: 120,
  inner: 64,
  columns: 65,
  left: { layout: "N", dtype: "float32" },
  right: { layout: "T", dtype: "float16" },
};

test("sizes of a class are within a factor of 2 of each other, and 4 divides all of them or none", () => {
  const size = fc.integer({ min: 1, max: 2 ** 20 });
  fc.assert(
    fc.property(size, size, (a, b) => {
      if (sizeClass(a) !== sizeClass(b)) return;
      // A class reaches from 2^(k - 1/2) to 2^(k + 1/2).
      expect(Math.max(a, b) / Math.min(a, b)).toBeLessThanOrEqual(2);
      if (a > 8) expect(a % 4 === 0).toBe(b % 4 === 0);
      else expect(a).toBe(b);
    }),
    { seed: 1, numRuns: 2000 },
  );
});

test("neighbours that are alike share a class, and what 4 does not divide is apart", () => {
  expect([120, 128, 176].map(sizeClass)).toEqual(["128", "128", "128"]);
  expect([127, 129].map(sizeClass)).toEqual(["128~", "128~"]);
  expect([1, 2, 3, 7, 8].map(sizeClass)).toEqual(["1", "2", "3", "7", "8"]);
});

test("a class says sizes, layouts and dtypes", () => {
  expect(shapeClassOf(problem)).toBe("1 x [128, 64] x [64, 64~] NT");
  expect(dtypeOf(problem)).toBe("float32 x float16");
  const steps: Problem = { kind: "elementwise", dtype: "int32", count: 5000, loads: 2, stores: 1, isHeavy: true };
  expect(shapeClassOf(steps)).toBe("4096, 2 to 1, heavy");
  expect(dtypeOf(steps)).toBe("int32");
});
