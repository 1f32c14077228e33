/** `npm run simulate`: seeded cluster simulations with faults. A failing seed is printed and reproduces. */
import { writeFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { OptionError } from "../src/base/errors.ts";
import { Cluster } from "./simulation/cluster.ts";

const { values } = parseArgs({
  options: {
    nodes: { type: "string", default: "4" },
    seeds: { type: "string", default: "100" },
    from: { type: "string", default: "1" },
    steps: { type: "string", default: "60" },
    json: { type: "string" },
  },
});

function integer(name: "nodes" | "seeds" | "from" | "steps"): number {
  const value = Number(values[name]);
  if (!Number.isInteger(value) || value < 1) {
    throw new OptionError(`simulate: expected --${name} to be a positive integer, found ${values[name]}`);
  }
  return value;
}

const nodes = integer("nodes");
const violations: { seed: number; invariant: string }[] = [];
const faults: Record<string, number> = {};
let simulatedMs = 0;
let rollbacks = 0;
const from = integer("from");
const seeds = integer("seeds");
for (let seed = from; seed < from + seeds; seed++) {
  const result = new Cluster({
    seed,
    nodes,
    steps: integer("steps"),
    faultEveryMs: 4_000,
    faultsUntilMs: 120_000,
  }).run();
  simulatedMs += result.simulatedMs;
  rollbacks += result.rollbacks;
  for (const [kind, count] of Object.entries(result.faults)) faults[kind] = (faults[kind] ?? 0) + count;
  for (const invariant of result.violations) {
    violations.push({ seed, invariant });
    console.log(`seed ${seed}: ${invariant} (npm run simulate -- --nodes ${nodes} --seeds 1 --from ${seed})`);
  }
}
const report = { seeds, violations, faults, simulatedHours: simulatedMs / 3_600_000 };
if (values.json !== undefined) writeFileSync(values.json, `${JSON.stringify(report)}\n`);
console.log(
  `${seeds} seeds, ${violations.length} violations, ${rollbacks} rollbacks, ${report.simulatedHours.toFixed(1)} simulated hours, faults ${JSON.stringify(faults)}`,
);
process.exitCode = violations.length > 0 ? 1 : 0;
