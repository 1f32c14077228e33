import { expect, test } from "vitest";
import { Cluster, PLANTS, type Plant } from "../../tools/simulation/cluster.ts";

const FAULTY = { steps: 60, faultEveryMs: 4_000, faultsUntilMs: 120_000 };

test.each([2, 3, 4, 6])(
  "clusters of %i members keep every invariant under faults and finish once they stop",
  (nodes) => {
    for (let seed = 1; seed <= 10; seed++) {
      const result = new Cluster({ seed, nodes, ...FAULTY }).run();
      expect({ seed, violations: result.violations }).toEqual({ seed, violations: [] });
    }
  },
);

test("a cluster without faults makes one epoch and no rollback", () => {
  const result = new Cluster({ seed: 1, nodes: 4, steps: 60, faultEveryMs: 0, faultsUntilMs: 0 }).run();
  expect(result).toMatchObject({ violations: [], rollbacks: 0, epochs: 1 });
});

test.each(Object.keys(PLANTS) as Plant[])("the planted bug “%s” is found", (plant) => {
  const isFound = (seed: number): boolean =>
    new Cluster({ seed, nodes: 4, ...FAULTY, plant }).run().violations.length > 0;
  expect(Array.from({ length: 20 }, (_, index) => index + 1).some(isFound)).toBe(true);
});

test("the same seed gives the same history", () => {
  const run = (): unknown => new Cluster({ seed: 9, nodes: 4, ...FAULTY }).run();
  expect(run()).toEqual(run());
});
