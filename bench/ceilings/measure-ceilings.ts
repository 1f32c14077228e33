/** What the device can do at most: the best of a few runs of hand-written kernels, on a device of their own. */
import { UnsupportedError } from "../../src/base/errors.ts";
import { elapsedMs } from "../measure.ts";
import { CEILING_KERNELS, COPY_BYTES } from "./ceiling-kernels.ts";
import type { CeilingKernel } from "./ceiling-kernels.ts";

export interface Ceiling {
  readonly name: string;
  readonly unit: string;
  readonly value: number;
}

/** Long enough that submitting and waiting count for little. */
const RUN_MS_MIN = 100;
const REPEATS = 5;
const ROUNDS_MAX = 1 << 24;

interface Bench {
  readonly device: GPUDevice;
  readonly source: GPUBuffer;
  readonly target: GPUBuffer;
  readonly rounds: GPUBuffer;
}

/** @throws UnsupportedError without an adapter */
export async function measureCeilings(gpu: GPU): Promise<Ceiling[]> {
  const adapter = await gpu.requestAdapter({ powerPreference: "high-performance" });
  if (adapter === null) throw new UnsupportedError("measureCeilings: expected a WebGPU adapter, found none");
  const device = await adapter.requestDevice();
  const buffer = (size: number, usage: number): GPUBuffer => device.createBuffer({ size, usage });
  const bench: Bench = {
    device,
    source: buffer(COPY_BYTES, GPUBufferUsage.STORAGE),
    target: buffer(COPY_BYTES, GPUBufferUsage.STORAGE),
    rounds: buffer(16, GPUBufferUsage.UNIFORM | GPUBufferUsage.COPY_DST),
  };
  try {
    const ceilings: Ceiling[] = [];
    for (const kernel of CEILING_KERNELS) {
      ceilings.push({ name: kernel.name, unit: kernel.unit, value: await best(bench, kernel) });
    }
    return ceilings;
  } finally {
    device.destroy();
  }
}

/** Amount a second, in units of 10^9. */
async function best(bench: Bench, kernel: CeilingKernel): Promise<number> {
  const dispatch = await prepare(bench, kernel);
  let [rounds, dispatches] = [64, 1];
  await dispatch(rounds, dispatches);
  for (;;) {
    const ms = await elapsedMs(() => dispatch(rounds, dispatches));
    if (ms >= RUN_MS_MIN || rounds >= ROUNDS_MAX) break;
    const factor = Math.min(16, Math.ceil((1.2 * RUN_MS_MIN) / Math.max(ms, 0.1)));
    if (kernel.hasRounds) rounds *= factor;
    else if (dispatches * factor > 1 << 12) break;
    else dispatches *= factor;
  }
  const samples: number[] = [];
  for (let i = 0; i < REPEATS; i++) samples.push(await elapsedMs(() => dispatch(rounds, dispatches)));
  return (kernel.amount(rounds) * dispatches) / Math.min(...samples) / 1e6;
}

async function prepare(
  { device, source, target, rounds: uniform }: Bench,
  { code, groups }: CeilingKernel,
): Promise<(rounds: number, dispatches: number) => Promise<void>> {
  const module = device.createShaderModule({ code });
  const pipeline = await device.createComputePipelineAsync({ layout: "auto", compute: { module, entryPoint: "main" } });
  const buffers = [source, target, uniform];
  const used = buffers.map((buffer, binding) => ({ binding, resource: { buffer } }));
  const layout = pipeline.getBindGroupLayout(0);
  const isBound = ({ binding }: { binding: number }): boolean => binding < 2 || code.includes("rounds.x");
  const group = device.createBindGroup({ layout, entries: used.filter(isBound) });
  return async (rounds, dispatches) => {
    device.queue.writeBuffer(uniform, 0, Uint32Array.of(rounds, 0, 0, 0));
    const encoder = device.createCommandEncoder();
    const pass = encoder.beginComputePass();
    pass.setPipeline(pipeline);
    pass.setBindGroup(0, group);
    for (let i = 0; i < dispatches; i++) pass.dispatchWorkgroups(groups);
    pass.end();
    device.queue.submit([encoder.finish()]);
    await device.queue.onSubmittedWorkDone();
  };
}
