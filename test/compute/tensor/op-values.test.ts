/**
 * Ops against plain formulas on the host, on the reference device. Values are at most about 30, sums have at most some
 * fifty terms, float32 rounds to 6e-8 and functions may be off by 1e-6: 1e-5 of the size is enough.
 */
import { expect, test } from "vitest";
import { Random } from "../../../src/base/random.ts";
import type { Shape } from "../../../src/compute/compiler/ir.ts";
import { elementCount } from "../../../src/compute/layout/shape.ts";
import { full, tensor, zeros } from "../../../src/compute/tensor/create.ts";
import { arange } from "../../../src/compute/tensor/create-ranges.ts";
import { randInt, randn } from "../../../src/compute/tensor/create-random.ts";
import { cat, stack } from "../../../src/compute/tensor/ops/cat.ts";
import { conv2d } from "../../../src/compute/tensor/ops/conv.ts";
import { crossEntropy } from "../../../src/compute/tensor/ops/cross-entropy.ts";
import { dropout } from "../../../src/compute/tensor/ops/dropout.ts";
import { layerNorm } from "../../../src/compute/tensor/ops/layer-norm.ts";
import { maxPool2d } from "../../../src/compute/tensor/ops/max-pool.ts";
import { scaledDotProductAttention } from "../../../src/compute/tensor/ops/scaled-dot-product-attention.ts";
import { Generator } from "../../../src/compute/tensor/generator.ts";
import { setDefaultRuntime } from "../../../src/compute/tensor/runtime-scope.ts";
import { Tensor } from "../../../src/compute/tensor/tensor.ts";
import { deviceRuntime } from "./test-runtimes.ts";

setDefaultRuntime(deviceRuntime());

/** Values of a seed, on the host and as a tensor. */
function drawn(shape: Shape, label: string): { host: number[]; x: Tensor } {
  const random = new Random(11, label);
  const data = Float32Array.from({ length: elementCount(shape) }, () => random.normal());
  return { host: [...data], x: tensor({ shape, data }) };
}

async function expectValues(found: Tensor, shape: Shape, expected: readonly number[]): Promise<void> {
  expect(found.shape).toEqual(shape);
  const values = [...(await found.data())];
  expect(values).toHaveLength(expected.length);
  values.forEach((value, i) => {
    const tolerance = 1e-5 * Math.max(1, Math.abs(expected[i] ?? 0));
    expect(Math.abs(value - (expected[i] ?? Number.NaN)), `[${i}]: ${value} for ${expected[i]}`).toBeLessThanOrEqual(
      tolerance,
    );
  });
}

const sigmoid = (x: number): number => 1 / (1 + Math.exp(-x));
const FUNCTIONS: readonly [name: string, ours: (x: Tensor) => Tensor, host: (x: number) => number][] = [
  ["neg", (x) => x.neg(), (x) => -x],
  ["abs", (x) => x.abs(), Math.abs],
  ["exp", (x) => x.exp(), Math.exp],
  ["log", (x) => x.square().add(1).log(), (x) => Math.log(x * x + 1)],
  ["sqrt", (x) => x.abs().sqrt(), (x) => Math.sqrt(Math.abs(x))],
  ["rsqrt", (x) => x.square().add(1).rsqrt(), (x) => 1 / Math.sqrt(x * x + 1)],
  ["tanh", (x) => x.tanh(), Math.tanh],
  ["sigmoid", (x) => x.mul(20).sigmoid(), (x) => sigmoid(20 * x)],
  ["silu", (x) => x.silu(), (x) => x * sigmoid(x)],
  ["relu", (x) => x.relu(), (x) => Math.max(x, 0)],
  ["leakyRelu", (x) => x.leakyRelu(0.1), (x) => (x > 0 ? x : 0.1 * x)],
  ["geluTanh", (x) => x.gelu({ approximate: "tanh" }), (x) => 0.5 * x * (1 + Math.tanh(Math.sqrt(2 / Math.PI) * (x + 0.044715 * x ** 3)))], // prettier-ignore
  ["pow", (x) => x.pow(3), (x) => x ** 3],
  ["clamp", (x) => x.clamp({ min: -0.3, max: 0.4 }), (x) => Math.min(Math.max(x, -0.3), 0.4)],
  ["floor", (x) => x.mul(3).floor(), (x) => Math.floor(Math.fround(3 * x))],
  ["sign", (x) => x.sign(), Math.sign],
  ["where", (x) => x.gt(0.2).where(x, -1), (x) => (x > 0.2 ? x : -1)],
  ["logic", (x) => x.gt(-0.5).logicalAnd(x.lt(0.5)).logicalOr(x.ge(1)).cast("float32"), (x) => Number((x > -0.5 && x < 0.5) || x >= 1)], // prettier-ignore
];

for (const [name, ours, host] of FUNCTIONS) {
  test(`${name} is what the formula gives`, async () => {
    const { host: values, x } = drawn([3, 1, 7], name);
    await expectValues(ours(x), [3, 1, 7], values.map(host));
  });
}

test("erf and gelu have the values of tables", async () => {
  const x = tensor([-2, -0.5, 0, 0.3, 1, 3]);
  await expectValues(x.erf(), [6], [-0.995322265, -0.520499878, 0, 0.328626759, 0.842700793, 0.99997791]);
  await expectValues(x.gelu(), [6], [-0.0455002639, -0.15426877, 0, 0.185373426, 0.841344746, 2.99595031]);
});

test("operands broadcast as in NumPy, and dtypes promote as in PyTorch", async () => {
  const a = tensor([[1], [2]]);
  await expectValues(a.add(tensor([10, 20, 30])), [2, 3], [11, 21, 31, 12, 22, 32]);
  await expectValues(a.sub(1).div(a), [2, 1], [0, 0.5]);
  const integers = tensor(Int32Array.of(7, -7));
  expect(integers.mul(2).dtype).toBe("int32");
  expect(integers.mul(0.5).dtype).toBe("float32");
  await expectValues(integers.div(2), [2], [3.5, -3.5]);
  expect(integers.gt(0).dtype).toBe("bool");
  await expectValues(integers.gt(0).sum(), [], [1]);
  await expectValues(integers.add(tensor([0.5, 0.5])), [2], [7.5, -6.5]);
});

test("reductions take the axes given", async () => {
  const x = tensor([[1, -2, 3], [4, 5, -6]]); // prettier-ignore
  await expectValues(x.sum(), [], [5]);
  await expectValues(x.sum(0), [3], [5, 3, -3]);
  await expectValues(x.mean(-1, { keepDim: true }), [2, 1], [2 / 3, 1]);
  await expectValues(x.max(1), [2], [3, 5]);
  await expectValues(x.min(), [], [-6]);
  await expectValues(x.var(1), [2], [19 / 3, 37]);
  await expectValues(x.var(1, { correction: 0 }), [2], [38 / 9, 74 / 3]);
  await expectValues(x.argmax(1), [2], [2, 1]);
  await expectValues(x.argmax(), [], [4]);
  await expectValues(x.argmin(0, { keepDim: true }), [1, 3], [0, 0, 1]);
  await expectValues(x.logSumExp([0, 1]), [], [Math.log([1, -2, 3, 4, 5, -6].reduce((s, v) => s + Math.exp(v), 0))]);
  await expectValues(x.cumsum(1), [2, 3], [1, -1, 2, 4, 9, 3]);
});

test("of equal elements, the first is the largest and takes the gradient", async () => {
  const x = tensor([[2, 1, 2], [3, 3, 0]], { requiresGrad: true }); // prettier-ignore
  await expectValues(x.argmax(1), [2], [0, 0]);
  x.max(1).sum().backward();
  await expectValues(x.grad ?? zeros([]), [2, 3], [1, 0, 0, 1, 0, 0]);
});

test("softmax is stable far from 0", async () => {
  const x = tensor([[1000, 1001], [-1000, -1000]]); // prettier-ignore
  const s = 1 / (1 + Math.E);
  await expectValues(x.softmax(1), [2, 2], [s, 1 - s, 0.5, 0.5]);
  await expectValues(x.logSoftmax(1), [2, 2], [Math.log(s), Math.log(1 - s), -Math.LN2, -Math.LN2]);
});

test("matmul multiplies the last two axes", async () => {
  const a = drawn([2, 3, 4], "a");
  const b = drawn([4, 5], "b");
  const expected = Array.from({ length: 30 }, (_, i) => {
    const [row, column] = [Math.floor(i / 5), i % 5];
    return [0, 1, 2, 3].reduce((sum, k) => sum + (a.host[row * 4 + k] ?? 0) * (b.host[k * 5 + column] ?? 0), 0);
  });
  await expectValues(a.x.matmul(b.x), [2, 3, 5], expected);
});

test("views move elements where they belong", async () => {
  const x = arange(12).reshape([3, 4]);
  await expectValues(x.transpose(0, 1), [4, 3], [0, 4, 8, 1, 5, 9, 2, 6, 10, 3, 7, 11]);
  await expectValues(
    x.slice([
      [1, null],
      [-1, null],
    ]),
    [2, 1],
    [7, 11],
  );
  await expectValues(
    x.slice([
      [0, 3, 2],
      [1, 4, 2],
    ]),
    [2, 2],
    [1, 3, 9, 11],
  );
  await expectValues(x.flip(1).select(0, 0), [4], [3, 2, 1, 0]);
  await expectValues(x.narrow(1, 1, 2).flatten(), [6], [1, 2, 5, 6, 9, 10]);
  await expectValues(x.chunk(2, 1)[1] ?? x, [3, 2], [2, 3, 6, 7, 10, 11]);
  await expectValues(tensor([[1, 2]]).pad([1, 0, 0, 1], 9), [2, 3], [9, 1, 2, 9, 9, 9]);
  await expectValues(tensor([1, 2]).repeat([2, 2]), [2, 4], [1, 2, 1, 2, 1, 2, 1, 2]);
  await expectValues(cat([tensor([[1]]), tensor([[2, 3]])], 1), [1, 3], [1, 2, 3]);
  await expectValues(stack([tensor([1, 2]), tensor([3, 4])], 1), [2, 2], [1, 3, 2, 4]);
  await expectValues(full([3, 3], 1).tril(), [3, 3], [1, 0, 0, 1, 1, 0, 1, 1, 1]);
  await expectValues(full([2, 3], 1).triu(1), [2, 3], [0, 1, 1, 0, 0, 1]);
});

test("indices pick and scatter", async () => {
  const x = tensor([[1, 2, 3], [4, 5, 6]]); // prettier-ignore
  const at = tensor({ shape: [2, 2], data: Int32Array.of(2, 0, 1, 1) });
  await expectValues(x.gather(1, at), [2, 2], [3, 1, 5, 5]);
  await expectValues(x.indexSelect(0, tensor(Int32Array.of(1, 1, 0))), [3, 3], [4, 5, 6, 4, 5, 6, 1, 2, 3]);
  await expectValues(zeros([2, 3]).scatterAdd(1, at, tensor([[1, 2], [3, 4]])), [2, 3], [2, 0, 1, 0, 7, 0]); // prettier-ignore
  await expectValues(tensor(Int32Array.of(2, 0)).oneHot(3), [2, 3], [0, 0, 1, 1, 0, 0]);
});

test("crossEntropy is the mean of -log p, without what is ignored", async () => {
  const logits = [[1, 2, 0.5], [-1, 0, 3], [2, 2, 2]]; // prettier-ignore
  const logP = logits.map((row) => row.map((v) => v - Math.log(row.reduce((s, w) => s + Math.exp(w), 0))));
  const targets = tensor(Int32Array.of(1, 0, -100));
  const losses = [-(logP[0]?.[1] ?? 0), -(logP[1]?.[0] ?? 0)];
  await expectValues(crossEntropy(tensor(logits), targets), [], [((losses[0] ?? 0) + (losses[1] ?? 0)) / 2]);
  await expectValues(crossEntropy(tensor(logits), targets, { reduction: "none" }), [3], [...losses, 0]);
});

test("layerNorm normalises rows", async () => {
  const { host, x } = drawn([2, 4], "norm");
  const rows = [host.slice(0, 4), host.slice(4)];
  const expected = rows.flatMap((row) => {
    const mean = row.reduce((s, v) => s + v, 0) / 4;
    const variance = row.reduce((s, v) => s + (v - mean) ** 2, 0) / 4;
    return row.map((v, i) => ((v - mean) / Math.sqrt(variance + 1e-5)) * (i + 1) + 0.5);
  });
  await expectValues(layerNorm(x, 4, tensor([1, 2, 3, 4]), full([4], 0.5)), [2, 4], expected);
});

test("conv2d slides a kernel, maxPool2d takes the largest", async () => {
  const { host, x } = drawn([1, 1, 4, 4], "image");
  const { host: kernel, x: weight } = drawn([1, 1, 3, 3], "kernel");
  const pixel = (row: number, column: number): number =>
    row < 0 || column < 0 || row > 3 || column > 3 ? 0 : (host[row * 4 + column] ?? 0);
  const expected = Array.from({ length: 4 }, (_, i) =>
    kernel.reduce(
      (sum, w, k) => sum + w * pixel(2 * Math.floor(i / 2) - 1 + Math.floor(k / 3), 2 * (i % 2) - 1 + (k % 3)),
      0,
    ),
  );
  await expectValues(
    conv2d(x, weight, tensor([2]), { stride: 2, padding: 1 }),
    [1, 1, 2, 2],
    expected.map((v) => v + 2),
  );
  const largest = [0, 2, 8, 10].map((at) => Math.max(...[0, 1, 4, 5].map((d) => host[at + d] ?? 0)));
  await expectValues(maxPool2d(x, { kernelSize: 2 }), [1, 1, 2, 2], largest);
});

test("causal attention lets no place see a later one", async () => {
  const q = drawn([1, 3, 2], "q").x;
  const k = drawn([1, 3, 2], "k").x;
  const v = drawn([1, 3, 2], "v");
  const out = scaledDotProductAttention(q, k, v.x, { causal: true });
  await expectValues(out.narrow(1, 0, 1), [1, 1, 2], v.host.slice(0, 2));
  const changed = cat([v.x.narrow(1, 0, 2), full([1, 1, 2], 50)], 1);
  const [before, after] = await Tensor.readAll([out, scaledDotProductAttention(q, k, changed, { causal: true })]);
  expect(after?.slice(0, 4)).toEqual(before?.slice(0, 4));
  expect(after?.slice(4)).not.toEqual(before?.slice(4));
});

test("dropout drops its share, keeps the mean, and repeats from a seed", async () => {
  const generator = new Generator(new Random(1));
  const x = full([64, 64], 1);
  generator.reset(5);
  const first = await dropout(x, { p: 0.25, generator }).data();
  const second = await dropout(x, { p: 0.25, generator }).data();
  generator.reset(5);
  const again = await dropout(x, { p: 0.25, generator }).data();
  expect(again).toEqual(first);
  expect(second).not.toEqual(first);
  expect(new Set(first)).toEqual(new Set([0, Math.fround(1 / 0.75)]));
  // 4096 draws: the share's deviation is sqrt(0.25 * 0.75 / 4096) = 0.0068; four of them.
  expect(Math.abs(first.filter((value) => value === 0).length / 4096 - 0.25)).toBeLessThan(0.027);
  await expectValues(dropout(x, { p: 0.25, training: false, generator }).sum(), [], [4096]);
});

test("random tensors are a function of their seed", async () => {
  const draw = (): Promise<unknown> => randn([5], new Random(2)).data();
  expect(await draw()).toEqual(await draw());
  const whole = await randInt(-2, 3, [200], new Random(3)).data();
  expect(new Set(whole)).toEqual(new Set([-2, -1, 0, 1, 2]));
});
