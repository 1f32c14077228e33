/**
 * `npx tsx tools/record-allocations.ts`: writes what training asks of the pool of buffers to `bench/traces`, for the
 * benchmark `allocator` and its test. On the null device: sizes and order are what counts, not values. `npm run format` after.
 */
import { mkdirSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import {
  compile,
  functional as F,
  nn,
  optim,
  scope,
  setDefaultRuntime,
  tensor,
  type Inputs,
  type Tensor,
} from "hearth";
import { TraceRecorder } from "../bench/traces/trace.ts";
import { Gpt } from "../examples/gpt.ts";
import type { DeviceBuffer } from "../src/compute/device/device.ts";
import { NullDevice } from "../src/compute/device/null/null-device.ts";
import { BufferPool } from "../src/compute/runtime/buffer-pool.ts";
import { createRuntime } from "../src/compute/runtime/graph-runtime.ts";

const FOLDER = fileURLToPath(new URL("../bench/traces/", import.meta.url));
const EAGER_STEPS = 30;
const EAGER_GPT_STEPS = 10;
const COMPILED_STEPS = 30;

/** What `train` takes and gives, with a runtime of its own. */
async function record(train: () => Promise<void>): Promise<TraceRecorder<DeviceBuffer>> {
  const recorder = new TraceRecorder<DeviceBuffer>();
  const { take, takeWhole, takeZeroed, give } = BufferPool.prototype;
  const wrapped = (original: (this: BufferPool, bytes: number) => DeviceBuffer) =>
    function (this: BufferPool, bytes: number): DeviceBuffer {
      return recorder.take(bytes, () => original.call(this, bytes));
    };
  BufferPool.prototype.take = wrapped(take);
  BufferPool.prototype.takeWhole = wrapped(takeWhole);
  BufferPool.prototype.takeZeroed = wrapped(takeZeroed);
  BufferPool.prototype.give = function (this: BufferPool, buffer: DeviceBuffer): void {
    recorder.give(buffer);
    give.call(this, buffer);
  };
  try {
    setDefaultRuntime(createRuntime(new NullDevice()));
    await train();
  } finally {
    Object.assign(BufferPool.prototype, { take, takeWhole, takeZeroed, give });
  }
  return recorder;
}

async function trainMlp(): Promise<void> {
  const model = new nn.Sequential(new nn.Linear(784, 256), new nn.ReLU(), new nn.Linear(256, 256), new nn.ReLU(), new nn.Linear(256, 10)); // prettier-ignore
  const optimizer = new optim.AdamW(model.parameters(), { lr: 1e-3 });
  for (let step = 0; step < EAGER_STEPS; step++) {
    await scope(async () => {
      // The last batch of an epoch is smaller.
      const count = step % 10 === 9 ? 96 : 128;
      const x = tensor({ shape: [count, 784], data: new Float32Array(count * 784) });
      const y = tensor({ shape: [count], data: new Int32Array(count) });
      await trainOnce(model, optimizer, x, y).item();
    });
  }
}

async function trainGpt(): Promise<void> {
  const model = new Gpt(65, 64);
  const optimizer = new optim.AdamW(model.parameters(), { lr: 1e-3 });
  for (let step = 0; step < EAGER_GPT_STEPS; step++) {
    await scope(async () => {
      // Batches and texts of several lengths, as examples have them.
      const shape = [step % 3 === 2 ? 6 : 8, 64 - 8 * (step % 4)];
      await trainOnce(model, optimizer, tokens(shape), tokens(shape)).item();
    });
  }
}

async function trainCompiledGpt(): Promise<void> {
  const model = new Gpt(65, 64);
  const optimizer = new optim.AdamW(model.parameters(), { lr: 1e-3 });
  const train = compile(({ x, y }: Inputs<"x" | "y">) => trainOnce(model, optimizer, x, y));
  const evaluate = compile(({ x, y }: Inputs<"x" | "y">) => F.crossEntropy(model.call(x), y));
  for (let step = 0; step < COMPILED_STEPS; step++) {
    await scope(async () => {
      const shape = [8, 64];
      const [x, y] = [tokens(shape), tokens(shape)];
      await (await train({ x, y })).item();
      if (step % 10 === 0) await (await evaluate({ x, y })).item();
    });
  }
}

function tokens(shape: readonly number[]): Tensor {
  return tensor({ shape: [...shape], data: new Int32Array(shape.reduce((product, size) => product * size, 1)) });
}

function trainOnce(
  model: nn.Module & { forward(x: Tensor): Tensor },
  optimizer: { step(): void; zeroGrad(): void },
  x: Tensor,
  y: Tensor,
): Tensor {
  const loss = F.crossEntropy(model.call(x), y);
  optimizer.zeroGrad();
  loss.backward();
  optimizer.step();
  return loss;
}

mkdirSync(FOLDER, { recursive: true });
for (const [name, train] of [
  ["eager-mlp", trainMlp],
  ["eager-char-gpt", trainGpt],
  ["compiled-char-gpt", trainCompiledGpt],
] as const) {
  const text = (await record(train)).text();
  writeFileSync(`${FOLDER}${name}.json`, text);
  console.log(`${name}: ${text.length} bytes`);
}
process.exit(0);
