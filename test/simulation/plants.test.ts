/** The simulator finds every planted bug: so it is known to look at what it is said to look at. */
import { expect, test } from "vitest";
import { Cluster } from "../../tools/simulation/cluster.ts";
import { PLANT_NAMES } from "../../tools/simulation/plants/plants.ts";

const SEEDS = 60;

test("there are at least fifteen", () => {
  expect(PLANT_NAMES.length).toBeGreaterThanOrEqual(15);
});

test.each(PLANT_NAMES)(
  "the planted bug %s is found",
  (plant) => {
    const isFound = (seed: number): boolean => {
      const nodes = seed % 2 === 0 ? 4 : 3;
      const options = { seed, nodes, steps: 60, faultEveryMs: 2_500, faultsUntilMs: 180_000, plant };
      return new Cluster(options).run().violations.length > 0;
    };
    expect(Array.from({ length: SEEDS }, (_, index) => index + 1).some(isFound)).toBe(true);
  },
  120_000,
);
