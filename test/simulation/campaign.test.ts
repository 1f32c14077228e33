/** More than 20 cluster-hours by `npm run simulate`, a program of its own: a test runner's modules make it half as fast. */
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { packageProgram, runCommand } from "../../tools/house/command.ts";
import type { CampaignReport } from "../../tools/simulation/campaign.ts";
import { FAULT_KINDS } from "../../tools/simulation/faults.ts";
import { ROOT } from "../../tools/swarm/server-process.ts";

const SEEDS = 100;
const HOURS_MIN = 20 / 3;

test.each([1, 1_001, 2_001])(
  "clusters of 2 to 32 members keep every invariant under every kind of fault, and finish (from seed %i)",
  async (from) => {
    const directory = await mkdtemp(join(tmpdir(), "hearth-campaign-"));
    try {
      const json = join(directory, "report.json");
      const asked = ["--seeds", `${SEEDS}`, "--from", `${from}`, "--json", json];
      const program = [join(ROOT, "tools/simulate.ts"), ...asked];
      const { code, output } = await runCommand(packageProgram("tsx"), program, { isShown: false });
      expect(code, output).toBe(0);
      const report = JSON.parse(await readFile(json, "utf8")) as CampaignReport;
      expect(report).toMatchObject({ seeds: SEEDS, violations: [] });
      expect(Object.keys(report.faults).sort()).toEqual([...FAULT_KINDS].sort());
      expect(Math.min(...Object.values(report.stragglers)), "each action against stragglers").toBeGreaterThan(0);
      expect(report.simulatedHours).toBeGreaterThan(HOURS_MIN);
    } finally {
      await rm(directory, { recursive: true });
    }
  },
  600_000,
);
