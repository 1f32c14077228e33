/** `npm run bench`: ours and, with `--peers`, others beside it, in the same run; medians of 5 after a warm-up. */
import { readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { describeError, HearthError } from "../src/base/errors.ts";
import { allReduceInTabs, allReduceInThreads } from "./all-reduce/all-reduce.ts";
import { allocator } from "./allocator.ts";
import { DEVICE_CASES } from "./cases/device-cases.ts";
import { checkpoint } from "./checkpoint.ts";
import { codecs } from "./codecs.ts";
import { join } from "./join.ts";
import { overlap } from "./overlap/overlap.ts";
import { reedSolomon } from "./reed-solomon.ts";
import { deviceResult } from "./device-result.ts";
import type { CaseRequest } from "./environments/case-report.ts";
import { openChromiumHost } from "./environments/chromium-host.ts";
import type { Host } from "./environments/host.ts";
import { openNodeHost } from "./environments/node-host.ts";
import { runEnvironment } from "./environments/run-environment.ts";
import type { EnvironmentReport } from "./environments/run-environment.ts";
import { OURS, PEERS, PEERS_ON_BACKENDS } from "./libraries/library.ts";
import { parseBenchOptions } from "./options.ts";
import type { BenchOptions, DeviceEnvironment } from "./options.ts";
import { resultsPage } from "./results-page.ts";
import { rounded, tableOf } from "./result.ts";
import type { BenchResult, Measured } from "./result.ts";

type HostBenchmark = (peers: boolean) => Promise<Measured[]>;

/** Node's threads and files come under the one environment of Node that there is, tabs under that of Chromium. */
const HOST_BENCHMARKS: Readonly<Partial<Record<DeviceEnvironment, ReadonlyMap<string, HostBenchmark>>>> = {
  "node-webgpu": new Map([
    ["all-reduce", allReduceInThreads],
    ["allocator", allocator],
    ["checkpoint", checkpoint],
    ["codecs", codecs],
    ["join", join],
    ["overlap", overlap],
    ["reed-solomon", reedSolomon],
  ]),
  "chromium-webgpu": new Map([["all-reduce", allReduceInTabs]]),
};

const HOSTS: Readonly<Record<DeviceEnvironment, (hasAllCores: boolean) => Promise<Host>>> = {
  "node-webgpu": (hasAllCores) => openNodeHost("webgpu", hasAllCores),
  "chromium-webgpu": (hasAllCores) => openChromiumHost("webgpu", hasAllCores),
  "node-wasm": (hasAllCores) => openNodeHost("wasm", hasAllCores),
  "chromium-wasm": (hasAllCores) => openChromiumHost("wasm", hasAllCores),
};

const RESULTS_PATH = fileURLToPath(new URL("./RESULTS.md", import.meta.url));

async function main(argv: readonly string[]): Promise<number> {
  const host = new Map(Object.entries(HOST_BENCHMARKS).map(([name, all]) => [name, new Set(all.keys())]));
  const existing = { device: new Set(DEVICE_CASES.keys()), host };
  const options = parseBenchOptions(argv, existing);
  const results: BenchResult[] = [];
  const bounds: string[] = [];
  for (const environment of options.environments) {
    const report = await benchDevice(environment, options, results);
    if (report) bounds.push(boundsOf(environment, report));
  }
  for (const name of options.names) {
    for (const environment of options.environments) results.push(...(await benchHost(name, environment, options)));
  }
  console.log(tableOf(results));
  console.log(bounds.join("\n"));
  if (options.json !== null) writeFileSync(options.json, `${JSON.stringify(results, null, 2)}\n`);
  if (options.results)
    writeFileSync(RESULTS_PATH, resultsPage(results, bounds, argv, readFileSync(RESULTS_PATH, "utf8")));
  return results.every(({ ours }) => ours !== null) ? 0 : 1;
}

/** Adds to `results` as they come. Null when there is nothing to run on a device. */
async function benchDevice(
  environment: DeviceEnvironment,
  { names, peers, backends, allCores }: BenchOptions,
  results: BenchResult[],
): Promise<EnvironmentReport | null> {
  const libraries = [OURS, ...(backends ? PEERS_ON_BACKENDS : peers ? PEERS : [])];
  const requests = names.flatMap((name) =>
    (DEVICE_CASES.get(name) ?? []).map((_, index): CaseRequest => ({ name, index, libraries })),
  );
  if (requests.length === 0) return null;
  console.error(`${environment}: opening`);
  return runEnvironment({
    open: () => HOSTS[environment](allCores),
    requests,
    onReport({ name, index }, report) {
      const benchCase = DEVICE_CASES.get(name)?.[index];
      if (!benchCase) return;
      const result = deviceResult(name, benchCase, environment, report);
      results.push(result);
      const figures = Object.entries({ ours: result.ours, ...result.peers });
      const said = figures.map(([library, value]) => `${library} ${value ?? "-"}`).join(", ");
      const alarm = result.notes.includes("DISAGREES") ? ", DISAGREES" : "";
      console.error(`${environment}: ${name}: ${result.case}: ${said} ${result.unit}${alarm}`);
    },
  });
}

async function benchHost(
  name: string,
  environment: DeviceEnvironment,
  { peers }: BenchOptions,
): Promise<BenchResult[]> {
  const measure = HOST_BENCHMARKS[environment]?.get(name);
  if (!measure) return [];
  console.error(`${environment}: ${name} ...`);
  const measured = await measure(peers);
  return measured.map((line) => ({
    name,
    case: line.case,
    environment,
    unit: line.unit,
    better: line.better,
    ours: rounded(line.ours),
    peers: line.peers ?? {},
    notes: line.notes,
  }));
}

function boundsOf(environment: DeviceEnvironment, { deviceName, ceilings }: EnvironmentReport): string {
  const said = ceilings.map(({ name, unit, value }) => `${name} ${rounded(value)} ${unit}`);
  return `${environment}: ${deviceName}: at most ${said.length > 0 ? said.join(", ") : "unknown"}`;
}

// Hosts end with this process, in its "exit".
for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => process.exit(130));

// Sockets and threads of what was started may outlive it.
process.exit(
  await main(process.argv.slice(2)).catch((error: unknown) => {
    console.error(`bench: ${error instanceof HearthError ? error.message : describeError(error)}`);
    return error instanceof HearthError && error.code === "option" ? 2 : 1;
  }),
);
