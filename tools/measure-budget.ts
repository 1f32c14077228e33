/**
 * `npx tsx tools/measure-budget.ts [--device reference or webgpu] [--steps 20]`: what a memory budget costs a char-GPT
 * step (2 layers, width 64, 4 heads, context 64, batch 8, AdamW), by each answer to a lack of memory.
 */
import { parseArgs } from "node:util";
import { manualSeed } from "hearth";
import type { Device } from "../src/compute/device/device.ts";
import { ReferenceDevice } from "../src/compute/device/reference/reference-device.ts";
import { openWebGpuDevice } from "../src/compute/device/webgpu/open-webgpu-device.ts";
import { createRuntime } from "../src/compute/runtime/graph-runtime.ts";
import type { PressureAnswer } from "../src/compute/runtime/pressure.ts";
import { openDawn } from "../src/host/node/dawn.ts";
import { GptTraining, lossesOf } from "../test/compute/runtime/training.ts";

const SHAPE = { batch: 8, context: 64, width: 64, layers: 2 };
const ALL: readonly PressureAnswer[] = ["recompute", "offload", "microBatches"];
const WARM_UP = 3;

const { values } = parseArgs({
  options: { device: { type: "string", default: "webgpu" }, steps: { type: "string", default: "20" } },
});
const steps = Number(values.steps);
const open = async (): Promise<Device> =>
  values.device === "reference"
    ? new ReferenceDevice()
    : await openWebGpuDevice({ gpu: await openDawn(), allowSoftware: true });

interface Measured {
  readonly peakBytes: number;
  readonly ms: number;
  readonly losses: readonly number[];
  readonly text: string;
}

async function measure(budget: number, pressure: readonly PressureAnswer[]): Promise<Measured> {
  const runtime = createRuntime(await open(), { memoryBudgetBytes: budget, pressure });
  manualSeed(1);
  const training = new GptTraining(runtime, SHAPE);
  const first = await lossesOf(training, WARM_UP);
  const times: number[] = [];
  const losses = [...first];
  for (let step = 0; step < steps; step++) {
    const startMs = performance.now();
    losses.push(await training.next());
    times.push(performance.now() - startMs);
  }
  const { peakBytes, plannedBytes, boundBytes, pressure: counts } = runtime.snapshot();
  const ms = times.sort((a, b) => a - b)[times.length >> 1] ?? Number.NaN;
  runtime.destroy();
  runtime.device.destroy();
  const { recomputed, offloaded } = counts;
  const parts = training.step.microBatches().join();
  const text = `planned ${plannedBytes} (bound ${boundBytes}), ${recomputed} recomputed, ${offloaded} moved, ${parts} parts`;
  return { peakBytes, ms, losses, text };
}

const free = await measure(Infinity, []);
console.log(`no budget: ${free.ms.toFixed(1)} ms a step, peak ${free.peakBytes} bytes; ${free.text}`);
for (const share of [0.75, 0.5, 0.4, 0.35]) {
  for (const pressure of [...ALL.map((answer) => [answer]), ALL]) {
    const name = `${share} of the peak, ${pressure.join(" and ")}`;
    try {
      const { ms, losses, text } = await measure(free.peakBytes * share, pressure);
      const apart = losses.map((loss, i) => Math.abs(loss / (free.losses[i] ?? Number.NaN) - 1));
      const factor = (ms / free.ms).toFixed(2);
      console.log(
        `${name}: ${ms.toFixed(1)} ms (${factor}x), losses within ${Math.max(...apart).toExponential(1)}; ${text}`,
      );
    } catch (error) {
      console.log(`${name}: ${error instanceof Error ? error.message.slice(0, 140) : String(error)}`);
    }
  }
}
process.exit(0);
