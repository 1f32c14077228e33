/** `npm run fuzz`: changed and random files for every reader; exit 1 if one was not refused as it should be. */
import { parseArgs } from "node:util";
import { fuzz } from "./fuzz/run-fuzz.ts";
import { fuzzTargets } from "./fuzz/targets.ts";

const USAGE = `Feeds changed and random files to every reader of files.

  npm run fuzz -- [--inputs N] [--seed N] [--only NAME]

  --inputs N   for each reader (100000)
  --seed N     names the inputs (1)
  --only NAME  ${fuzzTargets.map(({ name }) => `"${name}"`).join(", ")}

Exit: 0 every outcome was a result or one clear error; 1 one was not; 2 wrong arguments.
`;

const CONFIG = {
  inputs: { type: "string" },
  seed: { type: "string" },
  only: { type: "string" },
  help: { type: "boolean", short: "h" },
} as const;

async function main(argv: readonly string[]): Promise<number> {
  const { values } = parseArgs({ args: [...argv], options: CONFIG, strict: true });
  const [inputs, seed] = [Number(values.inputs ?? "100000"), Number(values.seed ?? "1")];
  const targets = fuzzTargets.filter(({ name }) => values.only === undefined || name === values.only);
  const isWrong = ![inputs, seed].every((value) => Number.isInteger(value) && value >= 0) || targets.length === 0;
  if (values.help === true || isWrong) {
    console.log(USAGE);
    return isWrong ? 2 : 0;
  }
  let failures = 0;
  for (const target of targets) {
    const report = await fuzz(target, { inputs, seed, nowMs: () => performance.now() });
    const { accepted, refused, slowestMs, ms, failure } = report;
    const seconds = `${(ms / 1_000).toFixed(1)} s`;
    console.log(
      `${target.name.padEnd(12)} ${report.inputs} inputs: ${accepted} read, ${refused} refused, slowest ${slowestMs.toFixed(0)} ms, ${seconds}`,
    );
    if (failure === null) continue;
    failures += 1;
    console.log(`  input ${failure.input} of seed ${seed}: ${failure.what}\n  ${failure.excerpt}`);
  }
  return failures === 0 ? 0 : 1;
}

process.exitCode = await main(process.argv.slice(2)).catch((error: unknown) => {
  console.error(`fuzz: ${error instanceof Error ? error.message : String(error)}; --help lists what there is`);
  return 2;
});
