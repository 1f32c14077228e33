/**
 * `npm run simulate`: seeded cluster simulations with faults; with `--network`, of the communication library alone, with
 * 1 to N members a seed. A failing seed is printed and reproduces.
 */
import { writeFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { OptionError } from "../src/base/errors.ts";
import { Cluster, PLANTS } from "./simulation/cluster.ts";
import type { Plant } from "./simulation/cluster.ts";
import { runNetwork } from "./simulation/network/network-run.ts";
import { PLANTS as NETWORK_PLANTS } from "./simulation/network/plants.ts";

const { values } = parseArgs({
  options: {
    nodes: { type: "string", default: "4" },
    seeds: { type: "string", default: "100" },
    from: { type: "string", default: "1" },
    steps: { type: "string", default: "60" },
    json: { type: "string" },
    plant: { type: "string" },
    network: { type: "boolean", default: false },
  },
});

function integer(name: "nodes" | "seeds" | "from" | "steps"): number {
  const value = Number(values[name]);
  if (!Number.isInteger(value) || value < 1) {
    throw new OptionError(`simulate: expected --${name} to be a positive integer, found ${values[name]}`);
  }
  return value;
}

interface Report {
  readonly seeds: number;
  readonly violations: { seed: number; invariant: string }[];
  readonly faults: Record<string, number>;
  readonly simulatedHours: number;
}

interface SeedResult {
  readonly violations: readonly string[];
  readonly faults: Readonly<Record<string, number>>;
  readonly simulatedMs: number;
  /** What else there is to count: rollbacks, finished members. */
  readonly counts: Readonly<Record<string, number>>;
}

type RunSeed = (seed: number) => SeedResult | Promise<SeedResult>;

const nodes = integer("nodes");
const names = values.network ? Object.keys(NETWORK_PLANTS) : Object.keys(PLANTS);

function clusterSeed(seed: number): SeedResult {
  const plant = values.plant as Plant | undefined;
  const limits = { steps: integer("steps"), faultEveryMs: 4_000, faultsUntilMs: 120_000 };
  const result = new Cluster({ seed, nodes, ...limits, ...(plant ? { plant } : {}) }).run();
  return { ...result, counts: { rollbacks: result.rollbacks } };
}

async function networkSeed(seed: number): Promise<SeedResult> {
  const result = await runNetwork({ seed, nodesMax: nodes, plant: values.plant });
  return { ...result, counts: { "members that finished": result.finished, "split verdicts": result.splits } };
}

async function runSeeds(runSeed: RunSeed): Promise<Report & { counts: Record<string, number> }> {
  const [from, seeds] = [integer("from"), integer("seeds")];
  const violations: Report["violations"] = [];
  const faults: Record<string, number> = {};
  const counts: Record<string, number> = {};
  let simulatedMs = 0;
  for (let seed = from; seed < from + seeds; seed++) {
    const result = await runSeed(seed);
    simulatedMs += result.simulatedMs;
    for (const [kind, count] of Object.entries(result.faults)) faults[kind] = (faults[kind] ?? 0) + count;
    for (const [kind, count] of Object.entries(result.counts)) counts[kind] = (counts[kind] ?? 0) + count;
    for (const invariant of result.violations) {
      violations.push({ seed, invariant });
      const options = `${values.network ? "--network " : ""}--nodes ${nodes} --seeds 1 --from ${seed}`;
      console.log(`seed ${seed}: ${invariant} (npm run simulate -- ${options})`);
    }
  }
  return { seeds, violations, faults, simulatedHours: simulatedMs / 3_600_000, counts };
}

async function main(): Promise<number> {
  if (values.plant === "list") {
    console.log(names.join("\n"));
    return 0;
  }
  if (values.plant !== undefined && !names.includes(values.plant)) {
    throw new OptionError(`simulate: expected --plant to be one of ${names.join(", ")}, found ${values.plant}`);
  }
  const startMs = performance.now();
  const { counts, ...report } = await runSeeds(values.network ? networkSeed : clusterSeed);
  if (values.json !== undefined) writeFileSync(values.json, `${JSON.stringify(report)}\n`);
  const counted = Object.entries(counts).map(([kind, count]) => `${count} ${kind}`);
  const { seeds, violations, faults, simulatedHours } = report;
  const perSecond = (seeds / ((performance.now() - startMs) / 1_000)).toFixed(1);
  console.log(
    `${seeds} seeds, ${violations.length} violations, ${counted.join(", ")}, ${simulatedHours.toFixed(1)} simulated hours, faults ${JSON.stringify(faults)}, ${perSecond} seeds a second`,
  );
  return violations.length > 0 ? 1 : 0;
}

process.exitCode = await main();
