/** The simulator finds every planted bug: so it is known to look at what it is said to look at. */
import { expect, test } from "vitest";
import { Cluster, type ClusterOptions } from "../../tools/simulation/cluster.ts";
import { PLANT_NAMES } from "../../tools/simulation/plants/plants.ts";

const SEEDS = 60;

test("there are at least fifteen", () => {
  expect(PLANT_NAMES.length).toBeGreaterThanOrEqual(15);
});

test.each(PLANT_NAMES)(
  "the planted bug %s is found",
  (plant) => {
    const isFound = (
      options: Pick<ClusterOptions, "seed" | "nodes" | "steps" | "faultEveryMs" | "faultsUntilMs">,
    ): boolean => new Cluster({ ...options, plant }).run().violations.length > 0;
    const seeds = Array.from({ length: SEEDS }, (_, index) => index + 1);
    const usual = { steps: 60, faultEveryMs: 2_500, faultsUntilMs: 180_000 };
    const dense = { steps: 40, faultEveryMs: 1_500, faultsUntilMs: 120_000 };
    const isSeen =
      seeds.some((seed) => isFound({ seed, nodes: seed % 2 === 0 ? 4 : 3, ...usual })) ||
      seeds.some((seed) => isFound({ seed, nodes: 2 + (seed % 4), ...dense }));
    expect(isSeen).toBe(true);
  },
  120_000,
);
