/** `npm run bench`: medians of 5 after a warm-up, in Node; kernels and steps on its WebGPU. */
import { writeFileSync } from "node:fs";
import { describeError, HearthError } from "../src/base/errors.ts";
import { openWebGpuDevice } from "../src/compute/device/webgpu/open-webgpu-device.ts";
import { createRuntime } from "../src/compute/runtime/graph-runtime.ts";
import type { Runtime } from "../src/compute/runtime/runtime.ts";
import { openDawn } from "../src/host/node/dawn.ts";
import { allReduce } from "./all-reduce.ts";
import { checkpoint } from "./checkpoint.ts";
import { COMPUTE_BENCHMARKS } from "./compute.ts";
import { parseBenchOptions } from "./options.ts";
import { rounded, tableOf } from "./result.ts";
import type { BenchResult, Measured } from "./result.ts";

const HOST_BENCHMARKS: ReadonlyMap<string, () => Promise<Measured[]>> = new Map([
  ["all-reduce", allReduce],
  ["checkpoint", checkpoint],
]);

/** What people would compare with. */
const COMPUTE_PEERS = ["tfjs", "jax-js"];
const NO_PEER = "not measured yet: the package is not a dependency";

async function main(argv: readonly string[]): Promise<void> {
  const { names, peers, json } = parseBenchOptions(
    argv,
    new Set([...COMPUTE_BENCHMARKS.keys(), ...HOST_BENCHMARKS.keys()]),
  );
  const results: BenchResult[] = [];
  let runtime: Runtime | undefined;
  for (const name of names) {
    console.error(`${name} ...`);
    const onDevice = COMPUTE_BENCHMARKS.get(name);
    if (onDevice !== undefined) runtime ??= await openRuntime();
    const measured = onDevice && runtime ? await onDevice(runtime) : ((await HOST_BENCHMARKS.get(name)?.()) ?? []);
    const theirs = peers && onDevice ? COMPUTE_PEERS : [];
    results.push(...measured.map((line) => resultOf(name, line, theirs)));
  }
  console.log(tableOf(results));
  if (runtime) console.log(`WebGPU: ${runtime.device.info.name}${runtime.device.info.isSoftware ? " (software)" : ""}`);
  if (json !== null) writeFileSync(json, `${JSON.stringify(results, null, 2)}\n`);
}

/** Node's threads and files come under the one environment of Node that there is. */
function resultOf(name: string, { notes, ours, ...line }: Measured, peers: readonly string[]): BenchResult {
  const missing = peers.map((peer) => `${peer}: ${NO_PEER}`);
  return {
    name,
    case: line.case,
    environment: "node-webgpu",
    unit: line.unit,
    better: line.better,
    ours: rounded(ours),
    peers: Object.fromEntries(peers.map((peer) => [peer, null])),
    notes: [notes, ...missing].join("; "),
  };
}

async function openRuntime(): Promise<Runtime> {
  return createRuntime(await openWebGpuDevice({ gpu: await openDawn(), allowSoftware: true }));
}

// Dawn's threads may outlive their device.
process.exit(
  await main(process.argv.slice(2)).then(
    () => 0,
    (error: unknown) => {
      console.error(`bench: ${error instanceof HearthError ? error.message : describeError(error)}`);
      return error instanceof HearthError && error.code === "option" ? 2 : 1;
    },
  ),
);
