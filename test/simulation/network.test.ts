/** The communication library under faults in virtual time: `npm run simulate -- --network` runs more seeds of it. */
import { expect, test } from "vitest";
import { runNetwork } from "../../tools/simulation/network/network-run.ts";
import { PLANTS } from "../../tools/simulation/network/plants.ts";

const SEEDS = 60;

test(`in ${SEEDS} seeds with faults nobody hangs, no wrong result passes for right, and survivors agree`, async () => {
  const faults: Record<string, number> = {};
  for (let seed = 1; seed <= SEEDS; seed++) {
    const result = await runNetwork({ seed, nodesMax: 16 });
    expect({ seed, violations: result.violations }).toEqual({ seed, violations: [] });
    for (const [kind, count] of Object.entries(result.faults)) faults[kind] = (faults[kind] ?? 0) + count;
  }
  const kinds = ["kill", "freeze", "freezeAndThaw", "breakLinks", "cut", "cutAndHeal", "cutOneWay"];
  for (const kind of [...kinds, "loss", "duplication", "reordering", "corruption"]) {
    expect(faults[kind], kind).toBeGreaterThan(0);
  }
}, 240_000);

test.each(Object.keys(PLANTS))(
  "the planted bug “%s” is found",
  async (plant) => {
    for (let seed = 1; seed <= 400; seed++) {
      const { violations } = await runNetwork({ seed, nodesMax: 8, plant });
      if (violations.length > 0) return;
    }
    expect.unreachable(`${plant}: ${PLANTS[plant]?.what}`);
  },
  60_000,
);

test("the same seed gives the same history", async () => {
  for (const seed of [3, 21, 27]) {
    expect(await runNetwork({ seed, nodesMax: 16 })).toEqual(await runNetwork({ seed, nodesMax: 16 }));
  }
});
