/** Layers of images and norms: PyTorch's names and starts, what training changes in them, and the shapes they give. */
import { afterAll, expect, test } from "vitest";
import { OptionError, ShapeError } from "../../../src/base/errors.ts";
import { Random } from "../../../src/base/random.ts";
import { compile } from "../../../src/compute/tensor/compile.ts";
import type { Inputs } from "../../../src/compute/tensor/compile.ts";
import { ones, tensor, zeros } from "../../../src/compute/tensor/create.ts";
import { setDefaultRuntime } from "../../../src/compute/tensor/runtime-scope.ts";
import type { Tensor } from "../../../src/compute/tensor/tensor.ts";
import * as nn from "../../../src/nn.ts";
import { deviceRuntime } from "../../compute/tensor/test-runtimes.ts";

const runtime = deviceRuntime();
setDefaultRuntime(runtime);
afterAll(() => runtime.destroy());

type Layer = nn.Module & { forward(x: Tensor): Tensor };

const seeded = <T>(fn: () => T, seed = 1): T => nn.withRandom(new Random(seed), fn);
const shapesOf = (module: nn.Module): Record<string, readonly number[]> =>
  Object.fromEntries([...module.namedParameters(), ...module.namedBuffers()].map(([name, { shape }]) => [name, shape]));
const values = async (x: Tensor): Promise<number[]> => Array.from(await x.data());

/** Values from -1 to 1 that differ. */
function ramp(shape: readonly number[]): Tensor {
  const count = shape.reduce((a, b) => a * b, 1);
  return tensor({ shape, data: Float32Array.from({ length: count }, (_, i) => Math.sin(1.7 * i + 0.3)) });
}

test.each<[string, () => Layer, readonly number[], readonly number[], Record<string, readonly number[]>]>([
  ["Conv1d", () => new nn.Conv1d(2, 4, 3, { groups: 2 }), [2, 2, 5], [2, 4, 3], { weight: [4, 1, 3], bias: [4] }],
  ["Conv2d", () => new nn.Conv2d(2, 4, [3, 1], { padding: "same", bias: false }), [2, 5, 5], [4, 5, 5], { weight: [4, 2, 3, 1] }],
  ["Conv3d", () => new nn.Conv3d(1, 2, 2, { stride: 2 }), [1, 1, 4, 4, 4], [1, 2, 2, 2, 2], { weight: [2, 1, 2, 2, 2], bias: [2] }],
  ["ConvTranspose1d", () => new nn.ConvTranspose1d(4, 2, 2, { stride: 2, groups: 2 }), [1, 4, 3], [1, 2, 6], { weight: [4, 1, 2], bias: [2] }],
  ["ConvTranspose2d", () => new nn.ConvTranspose2d(2, 3, 3, { stride: 2, padding: 1, outputPadding: 1 }), [1, 2, 3, 3], [1, 3, 6, 6], { weight: [2, 3, 3, 3], bias: [3] }],
  ["BatchNorm1d", () => new nn.BatchNorm1d(3), [4, 3], [4, 3], { weight: [3], bias: [3], running_mean: [3], running_var: [3], num_batches_tracked: [] }],
  ["BatchNorm2d", () => new nn.BatchNorm2d(3, { affine: false, trackRunningStats: false }), [4, 3, 2, 2], [4, 3, 2, 2], {}],
  ["GroupNorm", () => new nn.GroupNorm(2, 4), [1, 4, 3], [1, 4, 3], { weight: [4], bias: [4] }],
  ["InstanceNorm1d", () => new nn.InstanceNorm1d(3, { affine: true }), [3, 4], [3, 4], { weight: [3], bias: [3] }],
  ["InstanceNorm2d", () => new nn.InstanceNorm2d(3), [1, 3, 2, 2], [1, 3, 2, 2], {}],
  ["LayerNorm", () => new nn.LayerNorm([3, 2], { bias: false }), [4, 3, 2], [4, 3, 2], { weight: [3, 2] }],
  ["RMSNorm", () => new nn.RMSNorm(5), [2, 5], [2, 5], { weight: [5] }],
  ["LocalResponseNorm", () => new nn.LocalResponseNorm(2), [1, 3, 2], [1, 3, 2], {}],
  ["MaxPool1d", () => new nn.MaxPool1d(2), [1, 2, 5], [1, 2, 2], {}],
  ["MaxPool2d", () => new nn.MaxPool2d(3, { stride: 2, padding: 1, ceilMode: true }), [1, 2, 6, 5], [1, 2, 4, 3], {}],
  ["AvgPool1d", () => new nn.AvgPool1d(2, { stride: 1 }), [2, 5], [2, 4], {}],
  ["AvgPool2d", () => new nn.AvgPool2d([2, 1]), [1, 2, 4, 3], [1, 2, 2, 3], {}],
  ["AdaptiveAvgPool1d", () => new nn.AdaptiveAvgPool1d(3), [1, 2, 7], [1, 2, 3], {}],
  ["AdaptiveAvgPool2d", () => new nn.AdaptiveAvgPool2d([null, 1]), [1, 2, 4, 7], [1, 2, 4, 1], {}],
  ["AdaptiveMaxPool2d", () => new nn.AdaptiveMaxPool2d(2), [1, 2, 5, 5], [1, 2, 2, 2], {}],
  ["Upsample", () => new nn.Upsample({ scaleFactor: 2, mode: "bilinear" }), [1, 1, 3, 2], [1, 1, 6, 4], {}],
  ["PixelShuffle", () => new nn.PixelShuffle(2), [1, 8, 2, 3], [1, 2, 4, 6], {}],
  ["Unfold", () => new nn.Unfold(2, { stride: 2 }), [1, 3, 4, 4], [1, 12, 4], {}],
  ["Fold", () => new nn.Fold([4, 4], 2, { stride: 2 }), [1, 12, 4], [1, 3, 4, 4], {}],
  ["ZeroPad2d", () => new nn.ZeroPad2d([1, 2, 0, 1]), [1, 2, 2], [1, 3, 5], {}],
  ["ReflectionPad2d", () => new nn.ReflectionPad2d(1), [1, 1, 3, 3], [1, 1, 5, 5], {}],
  ["Identity", () => new nn.Identity(54, "unused"), [2, 3], [2, 3], {}],
  ["Flatten", () => new nn.Flatten(), [2, 3, 4], [2, 12], {}],
  ["Unflatten", () => new nn.Unflatten(1, [2, -1]), [2, 6], [2, 2, 3], {}],
])("%s has PyTorch's parameters and shape", async (_, make, input, output, state) => {
  const layer = seeded(make);
  expect(shapesOf(layer)).toEqual(state);
  const y = layer.forward(ramp(input));
  expect(y.shape).toEqual(output);
  expect((await values(y)).every(Number.isFinite)).toBe(true);
}); // prettier-ignore

test("convolutions start uniform within 1 / sqrt(fan in)", async () => {
  for (const layer of seeded(() => [new nn.Conv2d(8, 64, 3), new nn.ConvTranspose2d(64, 8, 3)])) {
    const bound = 1 / Math.sqrt(8 * 9);
    const found = await values(layer.weight);
    expect(Math.max(...found.map(Math.abs))).toBeLessThanOrEqual(bound);
    const meanSquare = found.reduce((sum, x) => sum + x * x, 0) / found.length;
    // A uniform number's variance is bound^2 / 3; of 4608, the estimate is off by some 1.3 %.
    expect(meanSquare / (bound ** 2 / 3)).toBeCloseTo(1, 1);
  }
});

test("a circular convolution sees the other end", async () => {
  const layer = seeded(() => new nn.Conv1d(1, 1, 3, { padding: 1, paddingMode: "circular", bias: false }));
  layer.loadStateDict({ weight: { shape: [1, 1, 3], data: Float32Array.of(1, 0, 10) } });
  expect(await values(layer.forward(tensor([[[1, 2, 3]]])))).toEqual([23, 31, 12]);
});

/** Runs two batches through a compiled step and reads the buffers. */
async function trained(layer: Layer): Promise<Record<string, number[]>> {
  const step = compile(({ x }: Inputs<"x">) => layer.forward(x), { runtime });
  for (const x of [ramp([4, 2, 3]), ramp([4, 2, 3]).mul(2).add(1)]) await step({ x });
  step.destroy();
  const entries = layer.namedBuffers().map(async ([name, buffer]) => [name, await values(buffer)] as const);
  return Object.fromEntries(await Promise.all(entries));
}

test("batch norm counts batches and moves its running statistics, in compiled functions too", async () => {
  const eager = new nn.BatchNorm1d(2);
  for (const x of [ramp([4, 2, 3]), ramp([4, 2, 3]).mul(2).add(1)]) await eager.forward(x).realize();
  const found = await trained(new nn.BatchNorm1d(2));
  expect(found["num_batches_tracked"]).toEqual([2]);
  // What is computed in one kernel may round less often: a unit or two of the last of 24 bits.
  for (const [name, buffer] of [
    ["running_mean", eager.running_mean],
    ["running_var", eager.running_var],
  ] as const) {
    const compiled = found[name] ?? [];
    for (const [i, value] of (await values(buffer as Tensor)).entries()) {
      expect(Math.abs(value - (compiled[i] ?? Number.NaN))).toBeLessThanOrEqual(Math.abs(value) * 2 ** -22);
    }
  }
  const [first = 0] = found["running_mean"] ?? [];
  const [batch = 0] = await values(ramp([4, 2, 3]).mean([0, 2]));
  expect(first).toBeCloseTo(0.9 * 0.1 * batch + 0.1 * (2 * batch + 1), 6);
});

test("without momentum the running statistics are means of all batches", async () => {
  const found = await trained(new nn.BatchNorm1d(2, { momentum: null }));
  const [batch = 0] = await values(ramp([4, 2, 3]).mean([0, 2]));
  expect(found["running_mean"]?.[0]).toBeCloseTo((batch + 2 * batch + 1) / 2, 6);
});

test("in eval, batch norm uses the running statistics and leaves them", async () => {
  const layer = new nn.BatchNorm1d(2);
  layer.loadStateDict({
    weight: { shape: [2], data: Float32Array.of(2, 1) },
    bias: { shape: [2], data: Float32Array.of(0, 5) },
    running_mean: { shape: [2], data: Float32Array.of(1, 2) },
    running_var: { shape: [2], data: Float32Array.of(4, 9) },
    num_batches_tracked: { shape: [], data: Int32Array.of(7) },
  });
  layer.eval();
  const [a = 0, b = 0] = await values(layer.forward(tensor([[3, 5]])));
  expect(a).toBeCloseTo(2, 4);
  expect(b).toBeCloseTo(6, 4);
  expect(await values(layer.num_batches_tracked as Tensor)).toEqual([7]);
  expect(await values(layer.running_mean as Tensor)).toEqual([1, 2]);
});

test("channel dropout drops whole channels, and nothing in eval", async () => {
  const layer = seeded(() => new nn.Dropout2d(0.5));
  const x = ones([8, 8, 2, 2]);
  const found = await values(layer.forward(x));
  const channels = Array.from({ length: 64 }, (_, c) => found.slice(4 * c, 4 * c + 4));
  expect(channels.every((channel) => channel.every((value) => value === channel[0]))).toBe(true);
  expect(new Set(found)).toEqual(new Set([0, 2]));
  expect(await values(layer.eval().forward(x))).toEqual(await values(x));
});

test("weight norm splits a weight into length and direction, and keeps what the layer computes", async () => {
  const make = (): nn.Linear => seeded(() => new nn.Linear(3, 2));
  const [plain, split] = [make(), nn.weightNorm(make())];
  expect(shapesOf(split)).toEqual({ bias: [2], weight_g: [2, 1], weight_v: [2, 3] });
  const x = ramp([4, 3]);
  const expected = await values(plain.forward(x));
  (await values(split.forward(x))).forEach((value, i) => expect(value).toBeCloseTo(expected[i] ?? Number.NaN, 6));
  split.forward(x).sum().backward();
  expect(split.parameters().map(({ grad }) => grad?.shape)).toEqual([[2], [2, 1], [2, 3]]);
  expect(() => nn.weightNorm(plain, "nothing")).toThrow(OptionError);
});

test("what does not fit is refused by name", () => {
  expect(() => seeded(() => new nn.Conv2d(3, 4, 3, { groups: 2 }))).toThrow(
    new OptionError("Conv2d: expected groups that divide 3 and 4 channels, found 2"),
  );
  expect(() => seeded(() => new nn.Conv2d(3, 4, 0))).toThrow(OptionError);
  expect(() => new nn.BatchNorm2d(3).forward(zeros([2, 3]))).toThrow(
    new ShapeError("BatchNorm2d: expected 4 axes, found the shape [2, 3]"),
  );
  expect(() => new nn.ReflectionPad2d([1, 2])).toThrow(OptionError);
  expect(() => new nn.Unflatten(1, [4, -1]).forward(zeros([2, 6]))).toThrow(ShapeError);
});
