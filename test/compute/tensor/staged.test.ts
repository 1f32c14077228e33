/** Results that are read while later ones are computed. */
import { expect, test } from "vitest";
import { bytesOf } from "../../../src/base/bytes.ts";
import { OptionError } from "../../../src/base/errors.ts";
import type { DeviceBuffer, Recording } from "../../../src/compute/device/device.ts";
import { ReferenceDevice } from "../../../src/compute/device/reference/reference-device.ts";
import { createRuntime } from "../../../src/compute/runtime/graph-runtime.ts";
import type { Runtime } from "../../../src/compute/runtime/runtime.ts";
import { grad } from "../../../src/compute/tensor/autograd.ts";
import { compile, type CompiledFunction } from "../../../src/compute/tensor/compile.ts";
import { tensor } from "../../../src/compute/tensor/create.ts";
import { readAll } from "../../../src/compute/tensor/realize.ts";
import { withRuntime } from "../../../src/compute/tensor/runtime-scope.ts";
import type { Tensor } from "../../../src/compute/tensor/tensor.ts";

const LAYERS = 3;
const WIDTH = 8;
/** The loss with the last layer's gradient, then layer by layer to the first. */
const STAGES = [[0, 3], [2], [1]];

/** Notes how many commands had been submitted when something was read. */
class NotingDevice extends ReferenceDevice {
  submitted = 0;
  readonly readAfter: number[] = [];

  override submit(recording: Recording): void {
    this.submitted += recording.commands.length;
    super.submit(recording);
  }

  override readMany(buffers: readonly DeviceBuffer[]): Promise<Uint8Array<ArrayBuffer>[]> {
    this.readAfter.push(this.submitted);
    return super.readMany(buffers);
  }
}

const numbers = (count: number, seed: number): Float32Array<ArrayBuffer> =>
  Float32Array.from({ length: count }, (_, at) => Math.sin(at * 12.9898 + seed));
const INPUT = { x: { shape: [4, WIDTH], data: numbers(4 * WIDTH, 9) } };

function layered(runtime: Runtime, stages: readonly (readonly number[])[]): CompiledFunction<"x", Tensor[]> {
  const weights = withRuntime(runtime, () =>
    Array.from({ length: LAYERS }, (_, layer) =>
      tensor({ shape: [WIDTH, WIDTH], data: numbers(WIDTH * WIDTH, layer) }, { requiresGrad: true }),
    ),
  );
  return compile<"x", Tensor[]>(
    ({ x }) => {
      const loss = weights
        .reduce((y, weight) => y.matmul(weight).tanh(), x)
        .mul(0.5)
        .sum();
      return [loss, ...grad(loss, weights)];
    },
    { runtime, stages },
  );
}

test("each stage is told once, the last layers' first, with the bits of a call, and read before the rest is submitted", async () => {
  const device = new NotingDevice();
  const runtime = createRuntime(device);
  const whole = await readAll(await layered(runtime, [])(INPUT));
  const staged = layered(runtime, STAGES);
  for (let run = 0; run < 2; run++) {
    const told = new Map<number, Uint8Array[]>();
    device.readAfter.length = 0;
    const before = device.submitted;
    const results = await staged.staged(INPUT, (stage, values) => {
      expect(told.has(stage)).toBe(false);
      told.set(stage, values.map(bytesOf));
    });
    expect([...told.keys()]).toEqual([0, 1, 2]);
    for (const [stage, outputs] of STAGES.entries())
      expect(told.get(stage)).toEqual(outputs.map((output) => bytesOf(whole[output] ?? new Float32Array(0))));
    const counts = device.readAfter.map((count) => count - before);
    expect(counts).toEqual([...new Set(counts)].sort((a, b) => a - b));
    expect(counts).toHaveLength(STAGES.length);
    expect(await readAll(results)).toEqual(whole);
  }
  expect(await readAll(await staged(INPUT))).toEqual(whole);
  runtime.destroy();
});

test("a staged call without stages is refused, and so are stages that leave a result out", async () => {
  const runtime = createRuntime(new ReferenceDevice());
  await expect(layered(runtime, []).staged(INPUT, () => {})).rejects.toThrow(OptionError);
  await expect(layered(runtime, [[0, 1], [2]])(INPUT)).rejects.toThrow("each of 4 outputs in one stage, found 0, 1, 2");
  runtime.destroy();
});

test("what the listener throws ends the call, and the next one runs", async () => {
  const runtime = createRuntime(new ReferenceDevice());
  const staged = layered(runtime, STAGES);
  const failing = staged.staged(INPUT, () => {
    throw new OptionError("no room");
  });
  await expect(failing).rejects.toThrow("no room");
  expect(await readAll(await staged(INPUT))).toHaveLength(1 + LAYERS);
  runtime.destroy();
});
