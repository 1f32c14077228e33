/** How long each step of a recording takes: by the device's own clock, or by waiting for each alone. */
import { systemClock } from "../../../base/clock.ts";
import { BufferUsage, MAP_MODE_READ } from "./constants.ts";
import { encode, encodeCopy, type Step } from "./encode.ts";

/** Of a query set, by the specification; a dispatch takes two. */
const DISPATCHES_MAX = 2048;
const TIMESTAMP_BYTES = 8;
const NS_PER_MS = 1e6;

/** A compute pass for each dispatch, with a timestamp before and one after it. Copies give null. */
export async function measureByTimestamps(device: GPUDevice, steps: readonly Step[]): Promise<(number | null)[]> {
  const tookMs: (number | null)[] = [];
  for (let from = 0; from < steps.length; from += DISPATCHES_MAX) {
    tookMs.push(...(await measureSome(device, steps.slice(from, from + DISPATCHES_MAX))));
  }
  return tookMs;
}

async function measureSome(device: GPUDevice, steps: readonly Step[]): Promise<(number | null)[]> {
  const count = 2 * steps.length;
  const bytes = count * TIMESTAMP_BYTES;
  const querySet = device.createQuerySet({ type: "timestamp", count });
  const resolved = device.createBuffer({ size: bytes, usage: BufferUsage.queryResolve | BufferUsage.copySrc });
  const staging = device.createBuffer({ size: bytes, usage: BufferUsage.mapRead | BufferUsage.copyDst });
  try {
    const encoder = device.createCommandEncoder();
    for (const [i, step] of steps.entries()) {
      if (step.kind === "copy") encodeCopy(encoder, step);
      else encodeTimed(encoder, step, { querySet, beginningOfPassWriteIndex: 2 * i, endOfPassWriteIndex: 2 * i + 1 });
    }
    encoder.resolveQuerySet(querySet, 0, count, resolved, 0);
    encoder.copyBufferToBuffer(resolved, 0, staging, 0, bytes);
    device.queue.submit([encoder.finish()]);
    await staging.mapAsync(MAP_MODE_READ);
    const stamps = new BigUint64Array(staging.getMappedRange());
    return steps.map((step, i) => (step.kind === "copy" ? null : differenceMs(stamps[2 * i], stamps[2 * i + 1])));
  } finally {
    querySet.destroy();
    resolved.destroy();
    staging.destroy();
  }
}

function encodeTimed(
  encoder: GPUCommandEncoder,
  step: Step & { kind: "dispatch" },
  timestampWrites: GPUComputePassTimestampWrites,
): void {
  const pass = encoder.beginComputePass({ timestampWrites });
  pass.setPipeline(step.pipeline);
  pass.setBindGroup(0, step.bindGroup);
  pass.dispatchWorkgroups(...step.workgroups);
  pass.end();
}

/** Null where the clock went back: the specification lets it, when a GPU changes its frequency or resets. */
function differenceMs(start: bigint | undefined, end: bigint | undefined): number | null {
  if (start === undefined || end === undefined || end < start) return null;
  return Number(end - start) / NS_PER_MS;
}

/** Each step submitted alone, and waited for. Includes the way to the GPU and back. */
export async function measureByWaiting(device: GPUDevice, steps: readonly Step[]): Promise<number[]> {
  const tookMs: number[] = [];
  // What was submitted before is not the first step's.
  await device.queue.onSubmittedWorkDone();
  for (const step of steps) {
    const encoder = device.createCommandEncoder();
    encode(encoder, [step]);
    const startMs = systemClock.nowMs();
    device.queue.submit([encoder.finish()]);
    await device.queue.onSubmittedWorkDone();
    tookMs.push(systemClock.nowMs() - startMs);
  }
  return tookMs;
}
