/** Wrong drivers in a cluster without other faults: found at once where all is computed twice, and by samples after a while. */
import { expect, test } from "vitest";
import { Cluster, type Audits, type ClusterResult } from "../../tools/simulation/cluster.ts";
import type { FaultEvent } from "../../tools/simulation/faults.ts";

/** One device of `nodes` is wrong from 20 s on: always, or in four of five slots. */
function withOneWrong(seed: number, nodes: number, audits: Audits): ClusterResult {
  const script: FaultEvent[] = [{ atMs: 20_000, kind: "wrongDriver", pick: 0.5, much: seed % 2 === 0 ? 0 : 0.8 }];
  const stopping = { faultEveryMs: 0, faultsUntilMs: 60_000 };
  return new Cluster({ seed, nodes, steps: 100, ...stopping, audits, script }).run();
}

test.each([1, 2, 3])(
  "where every slot is computed twice nothing wrong is committed, and the run ends (seed %i)",
  (seed) => {
    for (const nodes of [3, 5]) {
      expect(withOneWrong(seed, nodes, "all")).toMatchObject({ violations: [], wrongCommits: 0, foundWrong: 1 });
    }
  },
  60_000,
);

test.each([1, 2, 3])(
  "one slot in every second step finds it too, after some steps (seed %i)",
  (seed) => {
    for (const nodes of [3, 5]) {
      const { violations, wrongCommits, foundWrong } = withOneWrong(seed, nodes, "some");
      expect({ violations, foundWrong }).toEqual({ violations: [], foundWrong: 1 });
      expect(wrongCommits).toBeLessThan(70);
    }
  },
  60_000,
);
