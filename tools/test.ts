/**
 * `npm test`: finds or installs what the tests need, then checks types, runs the tests in Node and those in Chromium,
 * one after another, and closes with the totals of all. Exit 0 only if nothing failed.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { UnsupportedError } from "../src/base/errors.ts";
import { packageProgram, runCommand } from "./house/command.ts";
import { needChromium, needVulkan, wantNats } from "./house/needs.ts";
import type { Environment } from "./house/needs.ts";
import { readTotals, sumTotals, totalsLine } from "./house/totals.ts";
import type { Totals } from "./house/totals.ts";

async function needs(): Promise<Environment> {
  const chromium = await needChromium();
  await wantNats();
  return { ...chromium.environment, ...(await needVulkan(chromium.path)) };
}

/** Types count as a failure when they are wrong, and as nothing when they are right: they are no test. */
async function checkTypes(environment: Environment): Promise<Totals> {
  console.log("\n--- types");
  const { code } = await runCommand(packageProgram("tsc"), ["--noEmit", "-p", "."], { isShown: true, environment });
  return { passed: 0, failed: code === 0 ? 0 : 1, skipped: 0 };
}

async function testInNode(environment: Environment, report: string): Promise<Totals> {
  console.log("\n--- tests in Node");
  const parameters = ["run", "--reporter", "default", "--reporter", "json", "--outputFile.json", report];
  const { code } = await runCommand(packageProgram("vitest"), parameters, { isShown: true, environment });
  return readTotals(report, code);
}

async function testInChromium(environment: Environment, report: string): Promise<Totals> {
  console.log("\n--- tests in Chromium");
  const withReport = { ...environment, HEARTH_TEST_REPORT: report };
  const { code } = await runCommand(packageProgram("wtr"), [], { isShown: true, environment: withReport });
  return readTotals(report, code);
}

const environment = await needs().catch((error: unknown) => {
  console.error(error instanceof UnsupportedError ? error.message : error);
  process.exit(1);
});
const folder = mkdtempSync(join(tmpdir(), "hearth-test-"));
try {
  const totals = sumTotals([
    await checkTypes(environment),
    await testInNode(environment, join(folder, "node.json")),
    await testInChromium(environment, join(folder, "chromium.json")),
  ]);
  console.log(`\n${totalsLine(totals)}`);
  process.exitCode = totals.failed === 0 ? 0 : 1;
} finally {
  rmSync(folder, { recursive: true });
}
