/** A device that runs out of memory is lost like any other, and its successor is asked for less. */
import { expect, test } from "vitest";
import { OutOfMemoryError } from "../../../src/base/errors.ts";
import { ReferenceDevice } from "../../../src/compute/device/reference/reference-device.ts";
import { openWebGpuDevice } from "../../../src/compute/device/webgpu/open-webgpu-device.ts";
import { createRuntime } from "../../../src/compute/runtime/graph-runtime.ts";
import type { Runtime } from "../../../src/compute/runtime/runtime.ts";
import { openDawn } from "../../../src/host/node/dawn.ts";
import { openNodeWebGpu, webGpuMissing } from "../device/devices.ts";
import { CrampedDevice, type IsTooMuch } from "./cramped-device.ts";
import { EagerTraining, GptTraining, lossesOf } from "./training.ts";

const STEPS = 4;
const MEBIBYTE = 2 ** 20;
/** What is computed in parts, or again, is added up in another order; as in `budget.test.ts`. */
const DIFFERENCE_MAX = 1e-5;

/** A runtime on devices that all have as little. */
function cramped(isTooMuch: IsTooMuch): Runtime {
  return createRuntime(new CrampedDevice(isTooMuch), { reopen: async () => new CrampedDevice(isTooMuch) });
}

function expectClose(found: readonly number[], expected: readonly number[]): void {
  expect(found).toHaveLength(expected.length);
  for (const [i, loss] of found.entries()) {
    expect(Math.abs(loss / (expected[i] ?? Number.NaN) - 1)).toBeLessThan(DIFFERENCE_MAX);
  }
}

/** Losses that nothing happens to. */
async function quietLosses(Training: typeof GptTraining | typeof EagerTraining): Promise<number[]> {
  return await lossesOf(new Training(createRuntime(new ReferenceDevice())), STEPS);
}

test.each([
  { Training: GptTraining, mebibytes: 24 },
  { Training: GptTraining, mebibytes: 3 },
  { Training: EagerTraining, mebibytes: 24 },
])(
  "$Training.name goes on within $mebibytes MiB, with the same losses, after it asked for more",
  async ({ Training, mebibytes }) => {
    const runtime = cramped((_, bytes) => bytes > mebibytes * MEBIBYTE);
    expectClose(await lossesOf(new Training(runtime), STEPS), await quietLosses(Training));
    const { deviceLosses, takenBytes } = runtime.snapshot();
    expect(deviceLosses).toBeGreaterThan(0);
    expect(takenBytes).toBeLessThanOrEqual(mebibytes * MEBIBYTE);
  },
);

test.each([
  { Training: GptTraining, refused: 1 },
  // Small, for tables: the large one before it is what was too much.
  { Training: GptTraining, refused: 2 },
  { Training: EagerTraining, refused: 1 },
])("$Training.name stays below the size of what was refused in buffer $refused", async ({ Training, refused }) => {
  const first = new CrampedDevice((count) => count === refused);
  const runtime = createRuntime(first, { reopen: async () => new ReferenceDevice() });
  expectClose(await lossesOf(new Training(runtime), STEPS), await quietLosses(Training));
  expect(runtime.snapshot()).toMatchObject({ deviceLosses: 1, budgetBytes: 32 * MEBIBYTE });
  expect(runtime.snapshot().takenBytes).toBeLessThanOrEqual(32 * MEBIBYTE);
});

test("what fits no memory that there is says how much it needs", async () => {
  const runtime = cramped((_, bytes) => bytes > 0.6 * MEBIBYTE);
  const failure = await lossesOf(new GptTraining(runtime), STEPS).catch((error: unknown) => error);
  expect(failure).toBeInstanceOf(OutOfMemoryError);
  const { message, smallestBudgetBytes } = failure as OutOfMemoryError;
  expect(message).toMatch(
    /expected to fit a budget of 0.50 MiB, found that it needs \d+\.\d\d MiB; the most is held by/,
  );
  const budget = { memoryBudgetBytes: smallestBudgetBytes ?? 0 };
  await lossesOf(new GptTraining(createRuntime(new ReferenceDevice(), budget)), STEPS);
});

test.skipIf(webGpuMissing !== undefined)(
  "WebGPU's own report of it, on its first buffer, is answered so too",
  async () => {
    const expected = await lossesOf(new GptTraining(createRuntime(await openNodeWebGpu())), STEPS);
    const first = await openWebGpuDevice({ gpu: refusingFirst(await openDawn()), allowSoftware: true });
    const runtime = createRuntime(first, { reopen: openNodeWebGpu });
    expectClose(await lossesOf(new GptTraining(runtime), STEPS), expected);
    expect(runtime.snapshot()).toMatchObject({ deviceLosses: 1, budgetBytes: 32 * MEBIBYTE });
  },
);

/** Devices that report the first buffer as too large. */
function refusingFirst(gpu: GPU): GPU {
  const requestAdapter = async (): Promise<GPUAdapter | null> => {
    const adapter = await gpu.requestAdapter();
    if (adapter === null) return null;
    const request = adapter.requestDevice.bind(adapter);
    adapter.requestDevice = async (descriptor) => {
      const device = await request(descriptor);
      const create = device.createBuffer.bind(device);
      device.createBuffer = (options) => {
        device.createBuffer = create;
        setTimeout(() => device.onuncapturederror?.(new OutOfMemoryReport() as unknown as GPUUncapturedErrorEvent), 1);
        return create(options);
      };
      return device;
    };
    return adapter;
  };
  return { requestAdapter } as unknown as GPU;
}

class GPUOutOfMemoryError {
  readonly message = "Buffer allocation failed";
}

/** Node has no constructor of the event that WebGPU reports with. */
class OutOfMemoryReport extends Event {
  readonly error: { readonly message: string };
  constructor() {
    super("uncapturederror", { cancelable: true });
    this.error = new GPUOutOfMemoryError();
  }
}
