import fc from "fast-check";
import { expect, test } from "vitest";
import { lower } from "../../../../src/compute/compiler/lower.ts";
import { DEFAULT_CHOICES, type Choices } from "../../../../src/compute/compiler/tuning/choices.ts";
import { microProblem } from "../../../../src/compute/compiler/tuning/micro-problem.ts";
import type { Problem } from "../../../../src/compute/compiler/tuning/problem.ts";
import type { Site } from "../../../../src/compute/compiler/tuning/site.ts";
import { contractions, elementwises, rowsProblems } from "./random-problem.ts";

/** The sites that the kernels of a problem come to, and how many kernels there are. */
function lowered(problem: Problem): { sites: Site[]; kernels: number } {
  const sites: Site[] = [];
  const choices: Choices = {
    choose(site) {
      sites.push(site);
      return DEFAULT_CHOICES.choose(site);
    },
  };
  const { kernels } = lower(microProblem(problem).outputs, 8, { choices });
  return { sites, kernels: kernels.length };
}

test("a product built again is one kernel, and comes to the site that it was built for", () => {
  fc.assert(
    fc.property(contractions(200), (problem) => {
      const { sites, kernels } = lowered(problem);
      expect(kernels).toBe(1);
      // Where one tile is all there is, nobody is asked; layouts of single rows and columns are the same.
      const [site] = sites;
      const isLong = Math.min(problem.rows, problem.inner, problem.columns) > 1;
      if (site !== undefined && isLong) expect(site.problem).toEqual(problem);
    }),
    { seed: 6, numRuns: 150 },
  );
});

test("elementwise steps built again are one kernel with the same arrays", () => {
  fc.assert(
    fc.property(elementwises(2 ** 16), (problem) => {
      const { sites, kernels } = lowered(problem);
      expect(kernels).toBe(1);
      const { count, loads, stores } = problem;
      for (const site of sites) expect(site.problem).toMatchObject({ kind: "elementwise", count, loads, stores });
      expect(sites.length).toBe(count < 4096 || count % 2 === 1 ? 0 : 1);
    }),
    { seed: 7, numRuns: 150 },
  );
});

test("rows built again are one kernel that goes along them as often, in the same direction", () => {
  fc.assert(
    fc.property(rowsProblems(120), (problem) => {
      const { sites, kernels } = lowered(problem);
      const { rows, columns, isAcross, sweeps, loads } = problem;
      expect(kernels).toBe(1);
      for (const site of sites)
        expect(site.problem).toMatchObject({ kind: "rows", rows, columns, isAcross, sweeps, loads });
    }),
    { seed: 8, numRuns: 150 },
  );
});
