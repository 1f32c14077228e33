/** Many seeds, counted together; the first that fails is shrunk to a script. */
import type { StragglerAction } from "../../src/network/wire/run-line.ts";
import { Cluster, scriptOf, type Audits, type ClusterOptions } from "./cluster.ts";
import type { FaultEvent } from "./faults.ts";
import type { PlantName } from "./plants/plant.ts";
import { describeScript, shrink } from "./shrink.ts";

export interface CampaignOptions {
  /** Members; null: 2 to 32, by the seed. */
  readonly nodes: number | null;
  readonly seeds: number;
  readonly from: number;
  readonly steps: number;
  readonly plant: PlantName | null;
  /** Told of each violation, and of the short script that still shows it. */
  readonly say: (text: string) => void;
}

/** What `simulate --json` writes, and more for people. */
export interface CampaignReport {
  readonly seeds: number;
  readonly violations: readonly { readonly seed: number; readonly invariant: string }[];
  readonly faults: Readonly<Record<string, number>>;
  readonly simulatedHours: number;
  /** What was done about stragglers, and how often. */
  readonly stragglers: Readonly<Record<StragglerAction, number>>;
}

/** Small groups are where most goes wrong, and cost least. */
const SIZES = [2, 2, 3, 3, 3, 4, 4, 4, 5, 6, 6, 8, 8, 12, 16, 32];
const ACTIONS: readonly StragglerAction[] = ["less", "backup", "dropped"];
const FAULT_EVERY_MS = 2_500;
const FAULTS_UNTIL_MS = 180_000;
/** A run of 32 members takes seconds, and a script may take hundreds of them to get short. */
const SHRINK_MS_MAX = 120_000;

/** Every second block of sixteen seeds, so that all sizes come with it, has wrong drivers. */
const AUDITS: readonly (Audits | null)[] = [null, "all", null, "some"];

/** The run that a seed stands for. */
export function optionsOf(seed: number, { nodes, steps, plant }: CampaignOptions): ClusterOptions {
  const audits = AUDITS[Math.floor(seed / SIZES.length) % AUDITS.length];
  return {
    seed,
    nodes: nodes ?? SIZES[seed % SIZES.length] ?? 4,
    steps,
    faultEveryMs: FAULT_EVERY_MS,
    faultsUntilMs: FAULTS_UNTIL_MS,
    hasParity: seed % 2 === 0,
    isHasty: seed % 3 !== 0,
    ...(audits && !plant ? { audits } : {}),
    ...(plant ? { plant } : {}),
  };
}

export function runCampaign(campaign: CampaignOptions): CampaignReport & { rollbacks: number; commits: number } {
  const violations: { seed: number; invariant: string }[] = [];
  const faults: Record<string, number> = {};
  const stragglers: Record<StragglerAction, number> = { less: 0, backup: 0, dropped: 0 };
  let [simulatedMs, rollbacks, commits] = [0, 0, 0];
  for (let seed = campaign.from; seed < campaign.from + campaign.seeds; seed++) {
    const options = optionsOf(seed, campaign);
    const result = new Cluster(options).run();
    simulatedMs += result.simulatedMs;
    rollbacks += result.rollbacks;
    commits += result.commits;
    for (const [kind, count] of Object.entries(result.faults)) faults[kind] = (faults[kind] ?? 0) + count;
    for (const action of ACTIONS) stragglers[action] += result.stragglers[action];
    const [first] = result.violations;
    if (first === undefined) continue;
    campaign.say(`seed ${seed}: ${first} (npm run simulate -- --nodes ${options.nodes} --seeds 1 --from ${seed})`);
    if (violations.length === 0) campaign.say(tellShrunk(options));
    violations.push({ seed, invariant: first });
  }
  const simulatedHours = simulatedMs / 3_600_000;
  return { seeds: campaign.seeds, violations, faults, simulatedHours, stragglers, rollbacks, commits };
}

function tellShrunk(options: ClusterOptions): string {
  const untilMs = performance.now() + SHRINK_MS_MAX;
  const fails = (script: readonly FaultEvent[]): boolean =>
    new Cluster({ ...options, script }).run().violations.length > 0;
  const short = shrink(scriptOf(options), (script) => performance.now() < untilMs && fails(script));
  const [violation] = new Cluster({ ...options, script: short }).run().violations;
  return `seed ${options.seed}, ${options.nodes} members, shrunk to ${short.length} faults: ${violation}\n${describeScript(short)}`;
}
