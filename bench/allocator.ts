/** Memory for tensors, on traces of training: pages, a buffer a tensor, and buffers kept by their exact size. */
import { readFileSync } from "node:fs";
import { present } from "../src/base/assert.ts";
import { systemClock } from "../src/base/clock.ts";
import type { Device } from "../src/compute/device/device.ts";
import { openWebGpuDevice } from "../src/compute/device/webgpu/open-webgpu-device.ts";
import { openDawn } from "../src/host/node/dawn.ts";
import { BufferAllocator, ExactSizeAllocator, PageAllocator, type Allocator } from "./allocators/allocators.ts";
import { median } from "./measure.ts";
import type { Measured } from "./result.ts";
import { operationsOf, type Trace, type TraceOperation } from "./traces/trace.ts";

const TRACES = ["eager-mlp", "eager-char-gpt", "compiled-char-gpt"];
/** A sample is a whole trace, with the allocator as the last one left it. They are short, so there are more of them. */
const SAMPLES = 25;
const WARM_UPS = 15;

const ALLOCATORS: Readonly<Record<string, (device: Device) => Allocator<unknown>>> = {
  pages: (device) => new PageAllocator(device),
  "a buffer a tensor": (device) => new BufferAllocator(device),
  "exact sizes": (device) => new ExactSizeAllocator(device),
};

interface Figures {
  readonly microseconds: number;
  readonly peakBytes: number;
}

export async function allocator(): Promise<Measured[]> {
  const device = await openWebGpuDevice({ gpu: await openDawn(), allowSoftware: true });
  try {
    const lines: Measured[] = [];
    for (const name of TRACES) lines.push(...(await measureTrace(device, name)));
    return lines;
  } finally {
    device.destroy();
  }
}

async function measureTrace(device: Device, name: string): Promise<Measured[]> {
  const file = new URL(`./traces/${name}.json`, import.meta.url);
  const operations = operationsOf(JSON.parse(readFileSync(file, "utf8")) as Trace);
  const found = new Map<string, Figures>();
  for (const [kind, open] of Object.entries(ALLOCATORS)) found.set(kind, await figuresOf(device, operations, open));
  const ours = present(found.get("pages"), "bench allocator: pages");
  const { requestedBytes, usedBytes } = peakOfPages(device, operations);
  const told = (figure: (figures: Figures) => string): string =>
    [...found].slice(1).map(([kind, figures]) => `${kind}: ${figure(figures)}`).join(", "); // prettier-ignore
  const percent = (bytes: number): string => `${(100 * (1 - requestedBytes / bytes)).toFixed(1)} %`;
  return [
    {
      case: `${name}: an operation`,
      unit: "µs",
      better: "lower",
      ours: ours.microseconds,
      notes: told(({ microseconds }) => `${microseconds.toPrecision(3)} µs`),
    },
    {
      case: `${name}: peak taken from the device`,
      unit: "MiB",
      better: "lower",
      ours: ours.peakBytes / 2 ** 20,
      notes:
        `asked for: ${mebibytes(requestedBytes)}; waste ${percent(ours.peakBytes)} in slabs of 4 MiB, ` +
        `${percent(usedBytes)} of the pages in use; ` +
        told(({ peakBytes }) => `${mebibytes(peakBytes)}, waste ${percent(peakBytes)}`),
    },
  ];
}

async function figuresOf(
  device: Device,
  operations: readonly TraceOperation[],
  open: (device: Device) => Allocator<unknown>,
): Promise<Figures> {
  const memory = open(device);
  let peakBytes = 0;
  play(memory, operations, () => (peakBytes = Math.max(peakBytes, memory.takenBytes)));
  const samplesMs: number[] = [];
  for (let time = 0; time < WARM_UPS + SAMPLES; time++) {
    const startMs = systemClock.nowMs();
    play(memory, operations);
    if (time >= WARM_UPS) samplesMs.push(systemClock.nowMs() - startMs);
    // Not counted: drivers free what was destroyed only when they are waited for.
    await device.idle();
  }
  memory.end();
  return { microseconds: (1000 * median(samplesMs)) / operations.length, peakBytes };
}

/** The most that is asked for at once, and the most pages in use. */
function peakOfPages(
  device: Device,
  operations: readonly TraceOperation[],
): Record<"requestedBytes" | "usedBytes", number> {
  const memory = new PageAllocator(device);
  const peak = { requestedBytes: 0, usedBytes: 0 };
  play(memory, operations, () => {
    peak.requestedBytes = Math.max(peak.requestedBytes, memory.pages.requestedBytes);
    peak.usedBytes = Math.max(peak.usedBytes, memory.pages.usedBytes);
  });
  memory.end();
  return peak;
}

/** Carries a trace out, and gives back what it leaves. */
function play<T>(memory: Allocator<T>, operations: readonly TraceOperation[], onTaken?: () => void): void {
  const taken: (T | undefined)[] = [];
  for (const operation of operations) {
    if (operation.kind === "take") {
      taken[operation.id] = memory.take(operation.bytes);
      onTaken?.();
    } else {
      memory.give(taken[operation.id] as T);
      taken[operation.id] = undefined;
    }
  }
  for (const left of taken) if (left !== undefined) memory.give(left);
}

function mebibytes(bytes: number): string {
  return `${(bytes / 2 ** 20).toPrecision(3)} MiB`;
}
