/** `npm run conformance`: every case of a folder of golden values from PyTorch, on one device. */
import { writeFileSync } from "node:fs";
import { describeError, HearthError } from "../src/base/errors.ts";
import { runOn } from "./conformance/open-runner.ts";
import { parseOptions, USAGE } from "./conformance/options.ts";
import { reportOf } from "./conformance/run-conformance.ts";
import { tableOf, totalsOf } from "./conformance/table.ts";

async function main(argv: readonly string[]): Promise<number> {
  const options = parseOptions(argv);
  if (options === "help") {
    console.log(USAGE);
    return 0;
  }
  let done = 0;
  const { deviceName, results } = await runOn(options.device, options.fixtures, ({ id }) => {
    done += 1;
    if (process.stderr.isTTY) process.stderr.write(`\r\x1b[K${done} ${id}`);
  });
  if (process.stderr.isTTY) process.stderr.write("\r\x1b[K");
  const report = reportOf(results);
  console.log(tableOf(results));
  console.log(`${options.device} (${deviceName}): ${totalsOf(report)}`);
  if (options.json !== null) writeFileSync(options.json, `${JSON.stringify(report)}\n`);
  return report.failed === 0 ? 0 : 1;
}

// A GPU's threads may outlive their device: the process ends by itself only sometimes.
process.exit(
  await main(process.argv.slice(2)).catch((error: unknown) => {
    console.error(`conformance: ${error instanceof HearthError ? error.message : describeError(error)}`);
    return 2;
  }),
);
