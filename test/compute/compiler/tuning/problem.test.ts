import fc from "fast-check";
import { expect, test } from "vitest";
import { operationsOf, shrunk, type Problem } from "../../../../src/compute/compiler/tuning/problem.ts";
import { problems } from "./random-problem.ts";

function sizesOf(problem: Problem): number[] {
  switch (problem.kind) {
    case "elementwise":
      return [problem.count];
    case "rows":
      return [problem.rows, problem.columns];
    case "scan":
      return [problem.lines, problem.size];
    case "attention":
      return [problem.batch, problem.group, problem.queries, problem.keys];
    case "contraction":
      return [problem.batch, problem.rows, problem.inner, problem.columns];
  }
}

test("a problem is shrunk as far as asked, with the remainders that its edges depend on", () => {
  fc.assert(
    fc.property(problems, fc.integer({ min: 16, max: 32 }), (problem, bits) => {
      const small = shrunk(problem, 2 ** bits);
      expect(operationsOf(small)).toBeLessThanOrEqual(2 ** bits);
      for (const [i, size] of sizesOf(small).entries()) {
        const before = sizesOf(problem)[i] ?? 0;
        expect(size).toBeGreaterThanOrEqual(1);
        expect(size).toBeLessThanOrEqual(before);
        expect(size % 4).toBe(before % 4);
      }
    }),
    { seed: 2, numRuns: 1000 },
  );
});

test("a problem that is small enough stays as it is", () => {
  fc.assert(
    fc.property(problems, (problem) => {
      expect(shrunk(problem, operationsOf(problem))).toEqual(problem);
    }),
    { seed: 3 },
  );
});
