/**
 * `npm run simulate`: seeded cluster simulations with faults; with `--network`, of the communication library alone, with
 * 1 to N members a seed. A failing seed is printed, reproduces, and is shrunk to a
 * short script. `--plant list` names the planted bugs; `--plant NAME` runs with one, and is expected to fail.
 */
import { writeFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { OptionError } from "../src/base/errors.ts";
import { runNetworkCampaign } from "./simulation/network/network-campaign.ts";
import { PLANTS as NETWORK_PLANTS } from "./simulation/network/plants.ts";
import { runCampaign } from "./simulation/campaign.ts";
import type { PlantName } from "./simulation/plants/plant.ts";
import { PLANT_NAMES, PLANTS } from "./simulation/plants/plants.ts";

/** Of a seed of the network, unless told. */
const NETWORK_NODES = 16;

const { values } = parseArgs({
  options: {
    nodes: { type: "string" },
    seeds: { type: "string", default: "100" },
    from: { type: "string", default: "1" },
    steps: { type: "string", default: "60" },
    plant: { type: "string" },
    json: { type: "string" },
    network: { type: "boolean", default: false },
  },
});

function integer(name: "nodes" | "seeds" | "from" | "steps"): number {
  const value = Number(values[name]);
  if (Number.isInteger(value) && value >= 1) return value;
  throw new OptionError(`simulate: expected --${name} to be a positive integer, found ${values[name]}`);
}

function plantOf(name: string | undefined): PlantName | null {
  const found = PLANT_NAMES.find((plant) => plant === name);
  if (name === undefined || found) return found ?? null;
  throw new OptionError(`simulate: expected --plant to be "list" or one of its names, found ${name}`);
}

async function simulateNetwork(): Promise<number> {
  const names = Object.keys(NETWORK_PLANTS);
  if (values.plant === "list") {
    for (const name of names) console.log(name);
    return 0;
  }
  if (values.plant !== undefined && !names.includes(values.plant)) {
    throw new OptionError(`simulate: expected --plant to be "list" or one of its names, found ${values.plant}`);
  }
  const startMs = performance.now();
  const report = await runNetworkCampaign({
    nodes: values.nodes === undefined ? NETWORK_NODES : integer("nodes"),
    seeds: integer("seeds"),
    from: integer("from"),
    plant: values.plant,
    say: (text) => console.log(text),
  });
  const { seeds, violations, faults, simulatedHours, finished, missing } = report;
  if (values.json !== undefined) {
    writeFileSync(values.json, `${JSON.stringify({ seeds, violations, faults, simulatedHours })}\n`);
  }
  const perSecond = (seeds / ((performance.now() - startMs) / 1_000)).toFixed(1);
  console.log(
    `${seeds} seeds, ${violations.length} violations, ${finished} members that finished, ${missing} counted on that had left, ${simulatedHours.toFixed(1)} simulated hours, faults ${JSON.stringify(faults)}, ${perSecond} seeds a second`,
  );
  return violations.length > 0 ? 1 : 0;
}

function simulate(): number {
  if (values.plant === "list") {
    for (const name of PLANT_NAMES) console.log(`${name.padEnd(28)} ${PLANTS[name].what}`);
    return 0;
  }
  const report = runCampaign({
    nodes: values.nodes === undefined ? null : integer("nodes"),
    seeds: integer("seeds"),
    from: integer("from"),
    steps: integer("steps"),
    plant: plantOf(values.plant),
    say: (text) => console.log(text),
  });
  const { seeds, violations, faults, simulatedHours, stragglers, rollbacks, commits } = report;
  if (values.json !== undefined) {
    writeFileSync(values.json, `${JSON.stringify({ seeds, violations, faults, simulatedHours, stragglers })}\n`);
  }
  const struck = Object.values(faults).reduce((sum, count) => sum + count, 0);
  console.log(
    `${seeds} seeds, ${violations.length} violations, ${simulatedHours.toFixed(1)} simulated hours, ${commits} commits, ${rollbacks} rollbacks, stragglers ${JSON.stringify(stragglers)}, ${struck} faults ${JSON.stringify(faults)}`,
  );
  return violations.length > 0 ? 1 : 0;
}

process.exitCode = values.network ? await simulateNetwork() : simulate();
