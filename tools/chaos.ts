/** `npm run chaos`: one run in real tabs, undisturbed and under faults. `--help` says how; `chaos/run-chaos.ts` does it. */
import { mkdirSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { systemClock } from "../src/base/clock.ts";
import { describeError, HearthError, OptionError } from "../src/base/errors.ts";
import { buildApp } from "./build-app.ts";
import { describeScorecard } from "./chaos/describe.ts";
import { parseChaosOptions, USAGE, type ChaosOptions } from "./chaos/options.ts";
import { runChaos } from "./chaos/run-chaos.ts";
import { SwarmConsole } from "./swarm/console.ts";
import { Interruption } from "./swarm/interruption.ts";
import { ProcessGroups } from "./swarm/processes.ts";
import { ROOT } from "./swarm/server-process.ts";

const view = new SwarmConsole(process.stderr, () => systemClock.nowMs());
const groups = new ProcessGroups();
const interruption = new Interruption();

process.on("exit", () => groups.endAll());
try {
  const options = parseChaosOptions(process.argv.slice(2));
  if (options === "help") process.stdout.write(USAGE);
  process.exit(options === "help" ? 0 : await run(options));
} catch (error) {
  process.stderr.write(`chaos: ${error instanceof HearthError ? error.message : describeError(error)}\n`);
  process.exit(interruption.exitCode ?? (error instanceof OptionError ? 2 : 1));
}

async function run(options: ChaosOptions): Promise<number> {
  await buildApp(ROOT);
  const card = await runChaos(options, {
    onLine: (line) => view.line(line),
    onNote: (text) => view.note(text),
    signal: interruption.signal,
    groups,
  });
  if (interruption.exitCode !== null) return interruption.exitCode;
  process.stdout.write(describeScorecard(card));
  const isTooSlow = options.isStrict && card.throughput < card.throughputGoal;
  if (options.json !== null) {
    mkdirSync(dirname(options.json), { recursive: true });
    const { tabs, run: name, seed, devices } = options.swarm;
    const asked = {
      tabs,
      run: name,
      seed,
      devices,
      minutes: options.durationMs / 60_000,
      every: options.everyMs / 1000,
    };
    writeFileSync(options.json, `${JSON.stringify({ ...asked, ...card }, null, 1)}\n`);
  }
  return card.failures.length === 0 && !isTooSlow ? 0 : 1;
}
