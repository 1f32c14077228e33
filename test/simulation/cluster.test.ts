import { expect, test } from "vitest";
import { optionsOf, type CampaignOptions } from "../../tools/simulation/campaign.ts";
import { Cluster, scriptOf } from "../../tools/simulation/cluster.ts";
import { shrink } from "../../tools/simulation/shrink.ts";

const CAMPAIGN: CampaignOptions = { nodes: null, seeds: 100, from: 1, steps: 60, plant: null, say: () => {} };

test("a cluster without faults makes one epoch and no rollback", () => {
  const result = new Cluster({ seed: 1, nodes: 4, steps: 60, faultEveryMs: 0, faultsUntilMs: 0 }).run();
  expect(result).toMatchObject({ violations: [], rollbacks: 0, epochs: 1, commits: 61 });
  expect(result.chosenSteps, "steps by measured links, of 4 members in 60 steps").toBeGreaterThan(200);
});

test("the same seed gives the same history", () => {
  const run = (): unknown => new Cluster(optionsOf(9, CAMPAIGN)).run();
  expect(run()).toEqual(run());
});

test("a failing seed is shrunk to a few faults that still fail", () => {
  const options = { ...optionsOf(1, CAMPAIGN), nodes: 4, plant: "two-coordinators" as const };
  const seeds = Array.from({ length: 20 }, (_, index) => ({ ...options, seed: index + 1 }));
  const failing = seeds.find((candidate) => new Cluster(candidate).run().violations.length > 0);
  if (!failing) throw new Error("no seed of 20 fails with two coordinators");
  const fails = (script: ReturnType<typeof scriptOf>): boolean =>
    new Cluster({ ...failing, script }).run().violations.length > 0;
  const short = shrink(scriptOf(failing), fails);
  expect(fails(short)).toBe(true);
  expect(short.length).toBeLessThan(6);
}, 120_000);
