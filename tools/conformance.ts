/**
 * `npm run conformance`: every case of a folder of golden values from PyTorch on one device, or every collective over a
 * network.
 */
import { writeFileSync } from "node:fs";
import { describeError, HearthError } from "../src/base/errors.ts";
import { runOn } from "./conformance/open-runner.ts";
import { matrixTable } from "./conformance/network/judge-matrix.ts";
import { runNetwork } from "./conformance/network/run-network.ts";
import { parseOptions, USAGE } from "./conformance/options.ts";
import type { NetworkConformanceOptions } from "./conformance/options.ts";
import { reportOf } from "./conformance/run-conformance.ts";
import { tableOf, totalsOf } from "./conformance/table.ts";

const FAILURES_SHOWN = 20;

async function main(argv: readonly string[]): Promise<number> {
  const options = parseOptions(argv);
  if (options === "help") {
    console.log(USAGE);
    return 0;
  }
  if ("network" in options) return collectives(options);
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

async function collectives({ network, json }: NetworkConformanceOptions): Promise<number> {
  const { on, reports } = await runNetwork(network, (report) => console.error(`${network}: n = ${report.size} done`));
  const cases = reports.flatMap((report) => report.cases);
  const failures = cases.flatMap(({ id, reason }) => (reason === null ? [] : [{ id, reason }]));
  console.log(matrixTable(reports));
  for (const { id, reason } of failures.slice(0, FAILURES_SHOWN)) console.log(`failed: ${id}: ${reason}`);
  const passed = cases.length - failures.length;
  console.log(`${network} (${on}): ${cases.length} cases, ${passed} passed, ${failures.length} failed`);
  const totals = { cases: cases.length, passed, failed: failures.length, skipped: 0, failures };
  if (json !== null) writeFileSync(json, `${JSON.stringify(totals)}\n`);
  return failures.length === 0 ? 0 : 1;
}

// A GPU's threads may outlive their device: the process ends by itself only sometimes.
process.exit(
  await main(process.argv.slice(2)).catch((error: unknown) => {
    console.error(`conformance: ${error instanceof HearthError ? error.message : describeError(error)}`);
    return 2;
  }),
);
