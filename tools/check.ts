/**
 * `npm run check`: types, lint, format, tidiness and unused code, side by side; under a minute on two cores. Shows the
 * output of what failed, then a table.
 */
import { isInstalled, packageProgram, runCommand } from "./house/command.ts";
import type { CommandResult } from "./house/command.ts";

interface Check {
  readonly name: string;
  readonly program: string;
  readonly parameters: readonly string[];
  readonly note?: string;
}

const knowsTypes = isInstalled("tsgolint");

/** Room for young objects: the compiler makes many, and spends a sixth less time. */
const YOUNG = { NODE_OPTIONS: "--max-semi-space-size=128" };

/** What the compiler knows already about files that have not changed. */
const TYPES_CACHE = ["--incremental", "--tsBuildInfoFile", "node_modules/.cache/hearth/types.tsbuildinfo"];

// The slowest first.
const CHECKS: readonly Check[] = [
  { name: "types", program: "tsc", parameters: ["--noEmit", "-p", ".", ...TYPES_CACHE] },
  {
    name: "lint",
    program: "oxlint",
    parameters: [...(knowsTypes ? ["--type-aware"] : []), "--deny-warnings"],
    ...(knowsTypes ? {} : { note: "floating promises not looked for: the package oxlint-tsgolint is not installed" }),
  },
  { name: "format", program: "prettier", parameters: ["--check", "--cache", "--log-level", "warn", "."] },
  { name: "tidy", program: "vitest", parameters: ["run", "test/tidy.test.ts", "--reporter", "dot"] },
  { name: "unused", program: "knip", parameters: ["--reporter", "compact", "--no-progress"] },
];

async function check({ program, parameters }: Check): Promise<CommandResult> {
  return runCommand(packageProgram(program), parameters, { isShown: false, environment: { NO_COLOR: "1", ...YOUNG } });
}

const startMs = performance.now();
const results = await Promise.all(CHECKS.map(check));
for (const [index, { code, output }] of results.entries()) {
  if (code !== 0) console.log(`--- ${CHECKS[index]?.name}\n${output.trim()}\n`);
}
for (const [index, { name, note }] of CHECKS.entries()) {
  const { code, ms } = results[index] ?? { code: null, ms: 0 };
  const verdict = code === 0 ? "ok" : "FAILED";
  console.log(
    `${name.padEnd(8)}${verdict.padEnd(8)}${(ms / 1000).toFixed(1).padStart(6)} s${note ? `  (${note})` : ""}`,
  );
}
console.log(`${((performance.now() - startMs) / 1000).toFixed(1)} s`);
process.exitCode = results.every(({ code }) => code === 0) ? 0 : 1;
