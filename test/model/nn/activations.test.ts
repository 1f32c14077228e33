/** Each activation layer is the function of its name, with its options. */
import { expect, test } from "vitest";
import { tensor } from "../../../src/compute/tensor/create.ts";
import { setDefaultRuntime } from "../../../src/compute/tensor/runtime-scope.ts";
import * as A from "../../../src/model/nn/activations.ts";
import * as B from "../../../src/model/nn/axis-activations.ts";
import type { Layer } from "../../../src/model/nn/containers.ts";
import { deviceRuntime } from "../../compute/tensor/test-runtimes.ts";

setDefaultRuntime(deviceRuntime());

const X = [-3.5, -0.75, -0.25, 0, 0.25, 0.75, 2, 7];
const { abs, exp, log, log1p, max, min, sign, tanh } = Math;
const sigmoid = (x: number): number => 1 / (1 + exp(-x));
const elu = (x: number, alpha = 1): number => (x > 0 ? x : alpha * (exp(x) - 1));
const phi = (x: number): number => 0.5 * (1 + tanh(Math.sqrt(2 / Math.PI) * (x + 0.044715 * x ** 3)));

const CASES: readonly (readonly [string, Layer, (x: number) => number])[] = [
  ["ReLU", new A.ReLU(), (x) => max(x, 0)],
  ["ReLU6", new A.ReLU6(), (x) => min(max(x, 0), 6)],
  ["LeakyReLU", new A.LeakyReLU(0.2), (x) => (x > 0 ? x : 0.2 * x)],
  ["ELU", new A.ELU(0.5), (x) => elu(x, 0.5)],
  ["ELU by options", new A.ELU({ alpha: 2 }), (x) => elu(x, 2)],
  ["CELU", new A.CELU(0.5), (x) => (x > 0 ? x : 0.5 * (exp(x / 0.5) - 1))],
  ["SELU", new A.SELU(), (x) => 1.0507009873554805 * elu(x, 1.6732632423543772)],
  ["GELU", new A.GELU({ approximate: "tanh" }), (x) => x * phi(x)],
  ["SiLU", new A.SiLU(), (x) => x * sigmoid(x)],
  ["Mish", new A.Mish(), (x) => x * tanh(log1p(exp(x)))],
  ["Hardswish", new A.Hardswish(), (x) => (x * min(max(x + 3, 0), 6)) / 6],
  ["Hardsigmoid", new A.Hardsigmoid(), (x) => min(max(x + 3, 0), 6) / 6],
  ["Hardtanh", new A.Hardtanh({ minVal: -0.5, maxVal: 2.5 }), (x) => min(max(x, -0.5), 2.5)],
  ["Tanh", new A.Tanh(), tanh],
  ["Tanhshrink", new A.Tanhshrink(), (x) => x - tanh(x)],
  ["Sigmoid", new A.Sigmoid(), sigmoid],
  ["LogSigmoid", new A.LogSigmoid(), (x) => log(sigmoid(x))],
  ["Softplus", new A.Softplus({ beta: 2, threshold: 5 }), (x) => (2 * x > 5 ? x : log1p(exp(2 * x)) / 2)],
  ["Softsign", new A.Softsign(), (x) => x / (1 + abs(x))],
  ["Softshrink", new A.Softshrink(0.5), (x) => sign(x) * max(abs(x) - 0.5, 0)],
  ["Hardshrink", new A.Hardshrink(0.5), (x) => (abs(x) > 0.5 ? x : 0)],
  ["Threshold", new A.Threshold(0.5, 20), (x) => (x > 0.5 ? x : 20)],
  ["PReLU", new B.PReLU({ init: 0.125 }), (x) => (x > 0 ? x : 0.125 * x)],
];

test("elementwise layers give their functions", async () => {
  for (const [name, layer, expected] of CASES) {
    const found = await layer.call(tensor(X)).data();
    X.forEach((x, i) => expect(abs((found[i] ?? Number.NaN) - expected(x)), `${name}(${x})`).toBeLessThan(5e-6));
  }
});

test("layers along an axis take the one that they are given, the last by default", async () => {
  const x = [[1, 2, -1, 0], [0.5, -3, 2, 2]]; // prettier-ignore
  const shares = (row: readonly number[]): number[] => {
    const sum = row.reduce((total, value) => total + exp(value), 0);
    return row.map((value) => exp(value) / sum);
  };
  const rows = x.flatMap(shares);
  const close = async (layer: Layer, expected: readonly number[]): Promise<void> => {
    const found = [...(await layer.call(tensor(x)).data())];
    expect(found.length).toBe(expected.length);
    found.forEach((value, i) => expect(value).toBeCloseTo(expected[i] ?? Number.NaN, 5));
  };
  await close(new B.Softmax(), rows);
  await close(new B.LogSoftmax(-1), rows.map(log)); // prettier-ignore
  await close(new B.Softmin(1), x.flatMap((row) => shares(row.map((value) => -value)))); // prettier-ignore
  const columns = [0, 1, 2, 3].map((j) => shares(x.map((row) => row[j] ?? 0)));
  await close(new B.Softmax(0), [...columns.map(([top]) => top ?? 0), ...columns.map(([, low]) => low ?? 0)]); // prettier-ignore
  await close(new B.GLU(), x.flatMap(([a = 0, b = 0, c = 0, d = 0]) => [a * sigmoid(c), b * sigmoid(d)])); // prettier-ignore
  const image = tensor([[[1]], [[3]]]);
  expect((await new B.Softmax2d().call(image).data())[1]).toBeCloseTo(1 / (1 + exp(-2)), 5);
});

test("PReLU learns a slope for each channel", async () => {
  const layer = new B.PReLU({ numParameters: 2 });
  layer.call(tensor([[-1, 2], [-3, -4]])).sum().backward(); // prettier-ignore
  expect(await layer.weight.grad?.data()).toEqual(Float32Array.of(-4, -4));
});
