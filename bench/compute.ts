/** Benchmarks of one device: kernels by themselves, and whole training steps. */
import { Random } from "../src/base/random.ts";
import type { Runtime } from "../src/compute/runtime/runtime.ts";
import { compile } from "../src/compute/tensor/compile.ts";
import type { Inputs } from "../src/compute/tensor/compile.ts";
import { ones, zeros } from "../src/compute/tensor/create.ts";
import { randInt, randn } from "../src/compute/tensor/create-random.ts";
import { crossEntropy } from "../src/compute/tensor/ops/cross-entropy.ts";
import { layerNorm } from "../src/compute/tensor/ops/layer-norm.ts";
import { withRuntime } from "../src/compute/tensor/runtime-scope.ts";
import type { Tensor } from "../src/compute/tensor/tensor.ts";
import { Sequential } from "../src/model/nn/containers.ts";
import { GELU } from "../src/model/nn/activations.ts";
import { withRandom } from "../src/model/nn/init.ts";
import { Linear } from "../src/model/nn/linear.ts";
import type { Module } from "../src/model/nn/module.ts";
import { AdamW } from "../src/model/optim/adam.ts";
import { Gpt } from "../examples/gpt.ts";
import { medianMs } from "./measure.ts";
import type { Measured } from "./result.ts";

export type ComputeBenchmark = (runtime: Runtime) => Promise<Measured[]>;

const SEED = 20_260_107;
/** Runs of a plan in a row before waiting for the device: a wait costs about 0.5 ms. */
const RUNS = 10;

/** Milliseconds of one run of a plan that computes `fn`, whose operands are on the device already. */
async function planMs(runtime: Runtime, fn: () => Tensor): Promise<number> {
  const plan = compile(fn, { runtime });
  const ms = await medianMs(async () => {
    for (let run = 0; run < RUNS; run++) await plan();
    await runtime.device.idle();
  });
  plan.destroy();
  return ms / RUNS;
}

function speed(name: string, unit: "GFLOP/s" | "GB/s", perRun: number, ms: number): Measured {
  return { case: name, unit, better: "higher", ours: perRun / ms / 1e6, notes: `${ms.toPrecision(3)} ms a run` };
}

const SHAPES = [
  [256, 256, 256],
  [128, 64, 256],
  [128, 64, 65],
] as const;

async function matmul(runtime: Runtime): Promise<Measured[]> {
  const results: Measured[] = [];
  for (const [M, K, N] of SHAPES) {
    const random = new Random(SEED, "matmul", M, K, N);
    const [a, b] = withRuntime(runtime, () => [randn([M, K], random), randn([K, N], random)] as const);
    const ms = await planMs(runtime, () => a.matmul(b));
    results.push(speed(`[${M}, ${K}] x [${K}, ${N}]`, "GFLOP/s", 2 * M * K * N, ms));
  }
  return results;
}

/** One op on float32 [rows, columns]: bytes read and written once, whatever the kernels do in between. */
async function rowwise(
  runtime: Runtime,
  size: readonly [number, number],
  fn: (x: Tensor) => Tensor,
): Promise<Measured> {
  const x = withRuntime(runtime, () => randn(size, new Random(SEED, "rows")));
  const ms = await planMs(runtime, () => fn(x));
  return speed(`[${size.join(", ")}]`, "GB/s", 8 * size[0] * size[1], ms);
}

async function elementwise(runtime: Runtime): Promise<Measured[]> {
  const result = await rowwise(runtime, [1024, 1024], (x) => x.mul(1.5).add(0.25).relu());
  return [{ ...result, case: `relu(1.5 x + 0.25), ${result.case}` }];
}

async function softmax(runtime: Runtime): Promise<Measured[]> {
  return [await rowwise(runtime, [1024, 256], (x) => x.softmax(-1))];
}

async function normalization(runtime: Runtime): Promise<Measured[]> {
  const columns = 256;
  const [weight, bias] = withRuntime(runtime, () => [ones([columns]), zeros([columns])] as const);
  return [await rowwise(runtime, [1024, columns], (x) => layerNorm(x, columns, weight, bias, 1e-5))];
}

/** Milliseconds of a step: loss, gradients and AdamW, with the batch on the device. */
async function stepMs(
  runtime: Runtime,
  model: Module & { forward(x: Tensor): Tensor },
  batch: { readonly x: Tensor; readonly y: Tensor },
): Promise<number> {
  const optimizer = withRuntime(runtime, () => new AdamW(model.parameters(), { lr: 1e-3 }));
  const step = compile(
    ({ x, y }: Inputs<"x" | "y">) => {
      const loss = crossEntropy(model.forward(x), y);
      loss.backward();
      optimizer.step();
      return loss;
    },
    { runtime },
  );
  const ms = await medianMs(async () => (await step(batch)).item());
  step.destroy();
  return ms;
}

function stepTime(name: string, ms: number, model: Module): Measured {
  const parameters = model.parameters().reduce((sum, { shape }) => sum + shape.reduce((a, b) => a * b, 1), 0);
  return { case: name, unit: "ms", better: "lower", ours: ms, notes: `a step with AdamW, ${parameters} parameters` };
}

async function mlp(runtime: Runtime): Promise<Measured[]> {
  const random = new Random(SEED, "mlp");
  const { model, x, y } = withRuntime(runtime, () => ({
    model: withRandom(random, () => new Sequential(new Linear(64, 128), new GELU(), new Linear(128, 10))),
    x: randn([64, 64], random),
    y: randInt(0, 10, [64], random),
  }));
  return [stepTime("64-128-10, batch 64", await stepMs(runtime, model, { x, y }), model)];
}

async function charGpt(runtime: Runtime): Promise<Measured[]> {
  const [vocabulary, context, batch] = [65, 64, 16];
  const random = new Random(SEED, "char-gpt");
  const { model, x, y } = withRuntime(runtime, () => ({
    model: withRandom(random, () => new Gpt(vocabulary, context)),
    x: randInt(0, vocabulary, [batch, context], random),
    y: randInt(0, vocabulary, [batch, context], random),
  }));
  return [stepTime("2 layers, width 64, batch 16 x 64", await stepMs(runtime, model, { x, y }), model)];
}

export const COMPUTE_BENCHMARKS: ReadonlyMap<string, ComputeBenchmark> = new Map<string, ComputeBenchmark>([
  ["matmul", matmul],
  ["elementwise", elementwise],
  ["softmax", softmax],
  ["layerNorm", normalization],
  ["mlp", mlp],
  ["char-gpt", charGpt],
]);
