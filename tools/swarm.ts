/** `npm run swarm`: one run in real browser tabs on this machine. `--help` says how; `swarm/run-swarm.ts` does it. */
import { systemClock } from "../src/base/clock.ts";
import { HearthError } from "../src/base/errors.ts";
import { buildApp } from "./build-app.ts";
import { SwarmConsole } from "./swarm/console.ts";
import { Interruption } from "./swarm/interruption.ts";
import { parseOptions, USAGE, type SwarmOptions } from "./swarm/options.ts";
import { ProcessGroups } from "./swarm/processes.ts";
import { describeBytesSent, type SwarmResult } from "./swarm/result.ts";
import { runSwarm } from "./swarm/run-swarm.ts";
import { ROOT } from "./swarm/server-process.ts";
import { describeSummary } from "./swarm/summary.ts";

const EXIT_OPTIONS = 2;
const TROUBLE_SHOWN = 3;

const view = new SwarmConsole(process.stderr, () => systemClock.nowMs());
const groups = new ProcessGroups();
const interruption = new Interruption();

process.on("exit", () => groups.endAll());
process.exit(await main(process.argv.slice(2)));

async function main(argv: readonly string[]): Promise<number> {
  try {
    const options = parseOptions(argv);
    if (options === "help") {
      process.stdout.write(USAGE);
      return 0;
    }
    return report(await run(options));
  } catch (error) {
    view.clear();
    const isOurs = error instanceof HearthError && error.code !== "invariant";
    process.stderr.write(`swarm: ${isOurs ? error.message : error instanceof Error ? error.stack : String(error)}\n`);
    return isOurs && error.code === "option" ? EXIT_OPTIONS : 1;
  }
}

function run(options: SwarmOptions): Promise<SwarmResult> {
  return runSwarm(options, {
    onLine: (line) => view.line(line),
    onProgress: (progress) => view.progress(progress),
    onNote: (text) => view.note(text),
    signal: interruption.signal,
    groups,
    prepare: async () => {
      await buildApp(ROOT);
    },
  });
}

/** Says how it went, and returns the exit code. */
function report(result: SwarmResult): number {
  view.clear();
  const { exitCode, reason, summary, wallMs, parameters, tabs, directory } = result;
  process.stdout.write(`${reason}\n${describeSummary(summary, wallMs, parameters)}${describeBytesSent(tabs)}`);
  if (exitCode === 0) return 0;
  const lines = tabs.flatMap((tab) => [
    `tab ${tab.index}: ${tab.goneReason ?? tab.state}, ${tab.words}`,
    ...tab.trouble.slice(0, TROUBLE_SHOWN).map((text) => `  ${text}`),
  ]);
  if (exitCode === 1) process.stderr.write(`swarm: ${reason}\n${lines.map((line) => `${line}\n`).join("")}`);
  if (directory !== null) process.stderr.write(`logs and storage are kept under ${directory}\n`);
  return interruption.exitCode ?? exitCode;
}
