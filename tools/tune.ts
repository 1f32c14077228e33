/**
 * `npm run tune`: tunes the kernels of the benchmarks (a char-GPT step among them) on Node's WebGPU, prints the table,
 * and keeps it where `openRuntime` of `hearth/node` finds it.
 */
import { parseArgs } from "node:util";
import { describeError, HearthError, OptionError } from "../src/base/errors.ts";
import { openWebGpuDevice } from "../src/compute/device/webgpu/open-webgpu-device.ts";
import type { Device } from "../src/compute/device/device.ts";
import { createRuntime } from "../src/compute/runtime/graph-runtime.ts";
import { RuntimeTuning } from "../src/compute/runtime/runtime-tuning.ts";
import { tune, tuningTable } from "../src/compute/runtime/tune.ts";
import { openDawn } from "../src/host/node/dawn.ts";
import { tuningFiles } from "../src/host/node/tuning-files.ts";
import { setDefaultRuntime } from "../src/compute/tensor/runtime-scope.ts";
import { DEVICE_CASES } from "../bench/cases/device-cases.ts";
import { openHearth } from "../bench/libraries/hearth.ts";
import { describeRows } from "./tune/describe-rows.ts";

const USAGE = "npm run tune -- [BENCHMARK ...] [--budget SECONDS]";
const BUDGET_S = 120;

interface Options {
  readonly names: readonly string[];
  readonly budgetMs: number;
}

/** @throws OptionError with one sentence for people */
function optionsOf(argv: readonly string[]): Options {
  const options = { budget: { type: "string" } } as const;
  const { values, positionals } = parseStrictly(() => parseArgs({ args: [...argv], options, allowPositionals: true }));
  const seconds = Number(values.budget ?? BUDGET_S);
  if (!(seconds > 0)) throw new OptionError(`--budget: expected seconds, found ${values.budget}`);
  for (const name of positionals) {
    const there = [...DEVICE_CASES.keys()].join(", ");
    if (!DEVICE_CASES.has(name)) throw new OptionError(`expected benchmarks (${there}), found "${name}"`);
  }
  return { names: positionals.length > 0 ? positionals : [...DEVICE_CASES.keys()], budgetMs: seconds * 1000 };
}

function parseStrictly<T>(parse: () => T): T {
  try {
    return parse();
  } catch (cause) {
    throw new OptionError(`${(cause as Error).message.split(". ")[0]}; usage: ${USAGE}`, { cause });
  }
}

async function main(argv: readonly string[]): Promise<void> {
  const { names, budgetMs } = optionsOf(argv);
  const openDevice = async (): Promise<Device> =>
    await openWebGpuDevice({ gpu: await openDawn(), allowSoftware: true });
  const device = await openDevice();
  const runtime = createRuntime(device, { tuning: await RuntimeTuning.load(device.info, tuningFiles()) });
  setDefaultRuntime(runtime);
  const { programs } = openHearth(runtime);
  console.error(device.info.name);
  for (const name of names) {
    console.error(`the kernels of ${name} ...`);
    for (const { prepare } of DEVICE_CASES.get(name) ?? []) {
      const program = await prepare(programs);
      await program.results();
      program.dispose();
    }
  }
  const report = await tune(runtime, {
    budgetMs,
    openDevice,
    onProgress: ({ done, total, row }) => {
      const { kind, shapeClass, winner, speedUp } = row;
      const found = winner === null ? "undecided" : `${winner}, ${speedUp?.toFixed(2) ?? "-"} x the default`;
      console.error(`${done}/${total} ${kind} ${shapeClass}: ${found}`);
    },
  });
  console.log(describeRows(tuningTable(runtime)));
  console.log(`\n${report.tuned} tuned, ${report.waiting} waiting, ${(report.spentMs / 1000).toFixed(1)} s at work`);
}

// Dawn's threads may outlive their device.
process.exit(
  await main(process.argv.slice(2)).then(
    () => 0,
    (error: unknown) => {
      console.error(`tune: ${error instanceof HearthError ? error.message : describeError(error)}`);
      return error instanceof HearthError && error.code === "option" ? 2 : 1;
    },
  ),
);
