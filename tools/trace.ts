/**
 * `npm run trace`: does the page stay responsive while its tab trains? Trains char-gpt in one real tab, traces the page,
 * and prints the CPU time of its main thread's longest tasks. Exit 1 if one takes over 50 ms.
 *
 * `npm run trace -- --overlap FILE`: is communication hidden behind computation? Writes one step of the two members of
 * `npm run bench -- overlap` for Perfetto, and prints how much of it is.
 */
import { writeFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { systemClock } from "../src/base/clock.ts";
import { HearthError, OptionError } from "../src/base/errors.ts";
import { buildApp } from "./build-app.ts";
import { parseOptions, type SwarmOptions } from "./swarm/options.ts";
import { ProcessGroups } from "./swarm/processes.ts";
import { ROOT } from "./swarm/server-process.ts";
import { traceOverlap } from "./trace/overlap-trace.ts";
import { traceRun, type TraceResult } from "./trace/trace-run.ts";

/** A task above this keeps a click waiting: https://w3c.github.io/longtasks/ */
const TASK_MS_MAX = 50;
const TASKS_SHOWN = 5;
const STEPS = "40";
const DEVICE = "reference";
const EXIT_OPTIONS = 2;

const groups = new ProcessGroups();
process.on("exit", () => groups.endAll());
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(signal, () => process.exit(1));
process.exit(await main(process.argv.slice(2)));

async function main(argv: readonly string[]): Promise<number> {
  try {
    const { overlap, ...rest } = valuesOf(argv);
    if (overlap !== undefined) return await writeOverlap(overlap);
    const options = optionsOf(rest);
    await buildApp(ROOT);
    const result = await traceRun(options, systemClock, groups);
    process.stdout.write(describe(result));
    return longTasks(result) === 0 ? 0 : 1;
  } catch (error) {
    const isOurs = error instanceof HearthError && error.code !== "invariant";
    process.stderr.write(`trace: ${isOurs ? error.message : error instanceof Error ? error.stack : String(error)}\n`);
    return isOurs && error.code === "option" ? EXIT_OPTIONS : 1;
  }
}

interface Values {
  readonly steps?: string;
  readonly device?: string;
  readonly overlap?: string;
}

/** @throws OptionError */
function valuesOf(argv: readonly string[]): Values {
  try {
    const option = { type: "string" } as const;
    const options = { steps: option, device: option, overlap: option };
    return parseArgs({ args: [...argv], options }).values;
  } catch (cause) {
    const found = cause instanceof Error ? cause.message.split(". ")[0] : String(cause);
    const expected = "expected the options --steps N and --device NAME, or --overlap FILE";
    throw new OptionError(`${expected}, found: ${found}`, { cause });
  }
}

/** `--steps` and `--device`, as the swarm takes them. @throws OptionError */
function optionsOf({ steps = STEPS, device = DEVICE }: Values): SwarmOptions {
  const options = parseOptions(["--tabs", "1", "--run", "char-gpt", "--steps", steps, "--device", device]);
  if (options === "help" || options.steps < 2) throw new OptionError(`--steps: expected 2 or more, found ${steps}`);
  return options;
}

async function writeOverlap(path: string): Promise<number> {
  const { file, parameters, computedMs, stepMs, hiddenShare } = await traceOverlap();
  writeFileSync(path, JSON.stringify(file));
  const lines = [
    `a step of 2 members and ${parameters} parameters: ${stepMs.toFixed(0)} ms, of which the slots take ${computedMs.toFixed(0)} ms`,
    `hiddenShare: ${hiddenShare.toFixed(2)} of the time of the gradients' operations is beside computation`,
    `${path}: ${file.traceEvents.length} events; open it at https://ui.perfetto.dev`,
  ];
  process.stdout.write(lines.map((line) => `${line}\n`).join(""));
  return 0;
}

function longTasks({ tasks }: TraceResult): number {
  return tasks.filter(({ cpuMs }) => cpuMs > TASK_MS_MAX).length;
}

function describe(result: TraceResult): string {
  const { tasks, steps, seconds } = result;
  const longest = tasks[0]?.cpuMs ?? 0;
  const lines = [
    `${steps} steps in ${seconds.toFixed(1)} s; the page's main thread ran ${tasks.length} tasks of 0.5 ms or more`,
    `longest task: ${longest.toFixed(1)} ms of CPU time`,
    `tasks over ${TASK_MS_MAX} ms of CPU time: ${longTasks(result)}`,
    ...tasks.slice(0, TASKS_SHOWN).map(({ cpuMs, wallMs, parts }) => {
      return `  ${cpuMs.toFixed(1)} ms (${wallMs.toFixed(1)} ms on the clock): ${parts.join(", ") || "nothing that the trace names"}`;
    }),
  ];
  return lines.map((line) => `${line}\n`).join("");
}
