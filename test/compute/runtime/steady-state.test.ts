import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { describe, expect, test } from "vitest";
import type { Device, DeviceBuffer } from "../../../src/compute/device/device.ts";
import { createRuntime } from "../../../src/compute/runtime/graph-runtime.ts";
import type { Runtime } from "../../../src/compute/runtime/runtime.ts";
import { RUNTIME_DEVICES } from "../device/devices.ts";
import { EagerTraining, GptTraining, lossesOf } from "./training.ts";

const STEPS = 1000;
const PARTS = 4;
const TINY = { batch: 2, context: 8, width: 8, layers: 1 };
interface Training {
  next(): Promise<number>;
}

/** Counts what is created on `device` from now on. */
function countBuffers(device: Device): { readonly created: number; readonly bytes: number } {
  const counts = { created: 0, bytes: 0 };
  const create = device.createBuffer.bind(device);
  device.createBuffer = (bytes): DeviceBuffer => {
    counts.created += 1;
    counts.bytes += bytes;
    return create(bytes);
  };
  return counts;
}

setFlagsFromString("--expose-gc");
const collectGarbage = runInNewContext("gc") as () => void;

/** The least main memory in use over its next 100 steps. */
async function heapBytes(training: Training): Promise<number> {
  let least = Infinity;
  for (let sample = 0; sample < 5; sample++) {
    await lossesOf(training, 20);
    for (let turn = 0; turn < 3; turn++) {
      collectGarbage();
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
    least = Math.min(least, process.memoryUsage().heapUsed);
  }
  return least;
}

// On the reference device kernels are JavaScript, and what they leave behind is the engine's.
const devices = RUNTIME_DEVICES.filter(({ name }) => name !== "reference");
describe.each(devices)("$name", ({ name, missing, open }) => {
  const trainings: { kind: string; make: (runtime: Runtime) => Training; warmUp: number }[] = [
    { kind: "compiled", make: (runtime) => new GptTraining(runtime, TINY), warmUp: 20 },
    // Until the lists of what is alive have grown as far as they do, and been tidied up.
    { kind: "eager", make: (runtime) => new EagerTraining(runtime, 8), warmUp: 1500 },
  ];
  for (const { kind, make, warmUp } of trainings) {
    // What is left alive between operations is the same on all devices.
    if (kind === "eager" && name !== "wasm") continue;
    const title = `1,000 ${kind} steps create no buffer and hold what they held`;
    test.skipIf(missing !== undefined)(title, { timeout: 180_000 }, async () => {
      const runtime = createRuntime(await open());
      const counts = countBuffers(runtime.device);
      const training = make(runtime);
      await lossesOf(training, warmUp);
      const heap = [await heapBytes(training)];
      const before = runtime.snapshot();
      const { created } = counts;
      for (let part = 0; part < PARTS; part++) {
        await lossesOf(training, STEPS / PARTS);
        heap.push(await heapBytes(training));
      }
      expect(counts.created).toBe(created);
      const after = runtime.snapshot();
      expect(after.takenBytes).toBe(before.takenBytes);
      // What an eager step leaves behind is collected when the engine sees fit.
      if (kind === "compiled") expect(after.usedBytes).toBeLessThanOrEqual(before.usedBytes);
      // Main memory of eager loops goes up once by some megabytes, whenever the engine sees fit, and stays there.
      const growths = heap.slice(1).map((bytes, at) => bytes - (heap[at] ?? 0));
      expect(Math.min(...growths), `${growths}`).toBeLessThan(2 ** 20 / PARTS);
      runtime.destroy();
      runtime.device.destroy();
    });
  }
});
