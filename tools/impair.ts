/**
 * `npm run impair`: real rooms whose WebRTC goes by coturn through a proxy that delays, drops, limits and cuts, one room a
 * treatment; the first one is undisturbed. Prints a table; exit 0 only if all finished with the same losses.
 */
import { writeFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { systemClock } from "../src/base/clock.ts";
import { describeError, HearthError, OptionError } from "../src/base/errors.ts";
import { buildApp } from "./build-app.ts";
import { parseTreatment, TREATMENTS, type Treatment } from "./impair/impairment.ts";
import { type ImpairedRun, runImpaired } from "./impair/run-impaired.ts";
import { compareLosses } from "./swarm/compare.ts";
import { parseOptions, type SwarmOptions } from "./swarm/options.ts";
import { ProcessGroups } from "./swarm/processes.ts";
import { ROOT } from "./swarm/server-process.ts";

const DEFAULTS = ["delay=20", "delay=100", "loss=1", "delay=20+loss=1", "rate=10", "ports", "cut=20"];

const USAGE = `Trains the same run in real tabs through a network that is impaired, once for each treatment.

  npm run impair -- [--impair TREATMENT]... [--tabs N] [--run NAME] [--steps S] [--seed K] [--device D] [--json FILE]

  --impair TREATMENT   ${TREATMENTS};
                       several parts with + between; repeatable (${DEFAULTS.join(", ")})
  --tabs, --run, ...   as npm run swarm takes them (3 tabs, addition, 30 steps, device wasm)

delay=MS is the time from tab to tab one way, loss=PERCENT of packets from tab to tab, rate=MBITS each way of each
connection. cut=SECONDS and ports (another port for every connection, as behind a router that forgot them) happen in the
middle of the run. The first room of all is undisturbed: losses must be its losses, but for rounding.
`;

const CONFIG = {
  impair: { type: "string", multiple: true },
  tabs: { type: "string", default: "3" },
  run: { type: "string", default: "addition" },
  steps: { type: "string", default: "30" },
  seed: { type: "string", default: "0" },
  device: { type: "string", default: "wasm" },
  set: { type: "string", multiple: true },
  json: { type: "string" },
  help: { type: "boolean", short: "h" },
} as const;

const HEAD =
  "treatment         finished  steps/s  of none  longest step  losses differ  aborts  ICE restarts  lanes  pairs  packets lost";

/**
 * Of losses. Who computes which slots follows measured speed, and sums of float32 in another order round otherwise, by
 * 2^-24 a sum; some tens of steps of training amplify that a thousandfold at most.
 */
const DIFFERENCE_MAX = 1e-4;

const groups = new ProcessGroups();
process.on("exit", () => groups.endAll());
const interrupted = new AbortController();
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) process.on(signal, () => interrupted.abort());

try {
  process.exit(await main(process.argv.slice(2)));
} catch (error) {
  process.stderr.write(`impair: ${error instanceof HearthError ? error.message : describeError(error)}\n`);
  process.exit(error instanceof OptionError ? 2 : 1);
}

async function main(argv: readonly string[]): Promise<number> {
  const { treatments, swarm, json } = parse(argv);
  if (treatments.length === 0) {
    process.stdout.write(USAGE);
    return 0;
  }
  await buildApp(ROOT);
  const runs: ImpairedRun[] = [];
  for (const treatment of treatments) {
    const onNote = (text: string): void => void process.stderr.write(`${treatment.name}: ${text}\n`);
    const common = { swarm, clock: systemClock, groups, signal: interrupted.signal, onNote };
    const run = await runImpaired({ ...common, treatment });
    runs.push(run);
    if (runs.length === 1) process.stdout.write(`${HEAD}\n`);
    process.stdout.write(`${row(run, runs[0] as ImpairedRun)}\n`);
    if (!run.isFinished) process.stderr.write(`${treatment.name}: ${run.reason}\n`);
    if (interrupted.signal.aborted) return 130;
  }
  if (json !== null) writeFileSync(json, `${JSON.stringify(runs, null, 1)}\n`);
  const isGood = (run: ImpairedRun): boolean =>
    run.isFinished && differenceOf(run, runs[0] as ImpairedRun) <= DIFFERENCE_MAX;
  return runs.every(isGood) ? 0 : 1;
}

function parse(argv: readonly string[]): {
  readonly treatments: readonly Treatment[];
  readonly swarm: SwarmOptions;
  readonly json: string | null;
} {
  let values;
  try {
    ({ values } = parseArgs({ args: [...argv], options: CONFIG }));
  } catch (cause) {
    throw new OptionError(`${(cause as Error).message.split(". ")[0]}; --help lists what there is`, { cause });
  }
  const { tabs, run, steps, seed, device } = values;
  const settings = (values.set ?? []).flatMap((setting) => ["--set", setting]);
  const swarm = parseOptions([
    ...["--tabs", tabs, "--run", run, "--steps", steps, "--seed", seed, "--device", device],
    ...settings,
  ]);
  if (values.help || swarm === "help") return { treatments: [], swarm: swarm as SwarmOptions, json: null };
  const treatments = ["none", ...(values.impair ?? DEFAULTS)].map(parseTreatment);
  return { treatments, swarm, json: values.json ?? null };
}

function row(run: ImpairedRun, undisturbed: ImpairedRun): string {
  const share = undisturbed.stepsPerSecond > 0 ? run.stepsPerSecond / undisturbed.stepsPerSecond : 0;
  const { passed, dropped } = run.packets;
  const paths = Object.entries(run.paths).map(([path, count]) => `${count} ${path}`);
  return [
    run.treatment.padEnd(16),
    (run.isFinished ? "yes" : "NO").padStart(9),
    run.stepsPerSecond.toFixed(2).padStart(8),
    `${(100 * share).toFixed(0)}%`.padStart(8),
    `${(run.stepMsMax / 1_000).toFixed(1)} s`.padStart(13),
    differenceOf(run, undisturbed).toExponential(1).padStart(14),
    String(run.aborts).padStart(7),
    String(run.iceRestarts).padStart(13),
    lanesOf(run).padStart(6),
    `  ${paths.join(", ")}`,
    `  ${((100 * dropped) / Math.max(1, passed + dropped)).toFixed(2)}% of ${passed + dropped}`,
  ].join(" ");
}

/** The fewest and the most that a pair had. */
function lanesOf({ lanes }: ImpairedRun): string {
  const [least, most] = [Math.min(...lanes), Math.max(...lanes)];
  return lanes.length === 0 ? "-" : least === most ? `${most}` : `${least}-${most}`;
}

/** The largest relative difference of the losses; Infinity where one run has steps that the other one has not. */
function differenceOf(run: ImpairedRun, other: ImpairedRun): number {
  const { relativeMax, unmatched } = compareLosses(run.steps, other.steps);
  return unmatched.length > 0 ? Infinity : relativeMax;
}
