/** Initialisers: their distributions, their structure, and the same bits for the same random numbers. */
import fc from "fast-check";
import { expect, test } from "vitest";
import { OptionError, ShapeError } from "../../../src/base/errors.ts";
import { Random } from "../../../src/base/random.ts";
import { zeros } from "../../../src/compute/tensor/create.ts";
import { setDefaultRuntime } from "../../../src/compute/tensor/runtime-scope.ts";
import type { Tensor } from "../../../src/compute/tensor/tensor.ts";
import { withRandom } from "../../../src/model/nn/init.ts";
import * as init from "../../../src/model/nn/initializers.ts";
import { deviceRuntime } from "../../compute/tensor/test-runtimes.ts";

setDefaultRuntime(deviceRuntime());

const N = 20_000;
const random = (): Random => new Random(5, "init");

async function moments(tensor: Tensor): Promise<{ mean: number; deviation: number; low: number; high: number }> {
  const data = [...(await tensor.data())];
  const mean = data.reduce((sum, value) => sum + value, 0) / data.length;
  const variance = data.reduce((sum, value) => sum + (value - mean) ** 2, 0) / data.length;
  const [low, high] = data.reduce(([a, b], value) => [Math.min(a, value), Math.max(b, value)], [Infinity, -Infinity]);
  return { mean, deviation: Math.sqrt(variance), low, high };
}

/** Five deviations of the mean, and of the deviation (at most those of a normal's), of N numbers. */
async function expectMoments(tensor: Tensor, mean: number, deviation: number): Promise<void> {
  const found = await moments(tensor);
  expect(Math.abs(found.mean - mean)).toBeLessThan((5 * deviation) / Math.sqrt(tensor.size));
  expect(Math.abs(found.deviation - deviation)).toBeLessThan((5 * deviation) / Math.sqrt(2 * tensor.size));
}

test("uniform, normal and constant numbers have the moments that they are asked for", async () => {
  const uniform = init.uniform(zeros([N]), -1, 3, { random: random() });
  await expectMoments(uniform, 1, 4 / Math.sqrt(12));
  const { low, high } = await moments(uniform);
  expect([low >= -1, high < 3]).toEqual([true, true]);
  await expectMoments(init.normal(zeros([N]), 2, 0.5, { random: random() }), 2, 0.5);
  expect(await init.constant(zeros([2]), 7).data()).toEqual(Float32Array.of(7, 7));
  expect(await init.ones(zeros([1])).item()).toBe(1);
  expect(await init.zeros(init.ones(zeros([1]))).item()).toBe(0);
});

/** Mean and deviation of the standard normal in [a, b], by Simpson's rule in float64. */
function truncatedMoments(a: number, b: number): [mean: number, deviation: number] {
  const steps = 2000;
  const integral = (power: number): number => {
    let sum = 0;
    for (let i = 0; i <= steps; i++) {
      const x = a + ((b - a) * i) / steps;
      sum += (i === 0 || i === steps ? 1 : i % 2 === 1 ? 4 : 2) * x ** power * Math.exp(-(x * x - a * a) / 2);
    }
    return sum;
  };
  const mean = integral(1) / integral(0);
  return [mean, Math.sqrt(integral(2) / integral(0) - mean * mean)];
}

test("truncated normal numbers keep to their bounds, wide, narrow and far out", async () => {
  for (const [a, b] of [
    [-2, 2],
    [-0.2, 0.3],
    [1, 1.5],
    [-9, -3],
    [0.1, 8],
  ] as const) {
    // prettier-ignore
    const [mean, deviation] = truncatedMoments(a, b);
    const drawn = init.truncNormal(zeros([N]), 10, 2, 10 + 2 * a, 10 + 2 * b, { random: random() });
    await expectMoments(drawn, 10 + 2 * mean, 2 * deviation);
    const { low, high } = await moments(drawn);
    expect([low >= Math.fround(10 + 2 * a), high <= Math.fround(10 + 2 * b)]).toEqual([true, true]);
  }
});

test("Xavier's and Kaiming's deviations follow fan in and fan out", async () => {
  const shape = [40, 20, 5, 5]; // Fan in 500, fan out 1000.
  expect(init.computeFanInAndFanOut(zeros(shape))).toEqual({ fanIn: 500, fanOut: 1000 });
  const draw = (fn: (tensor: Tensor) => Tensor): Tensor => fn(zeros(shape));
  await expectMoments(draw((x) => init.xavierUniform(x, 2, { random: random() })), 0, 2 * Math.sqrt(2 / 1500)); // prettier-ignore
  await expectMoments(draw((x) => init.xavierNormal(x, 1, { random: random() })), 0, Math.sqrt(2 / 1500)); // prettier-ignore
  await expectMoments(draw((x) => init.kaimingUniform(x, { a: Math.sqrt(5), random: random() })), 0, Math.sqrt(1 / 3 / 500)); // prettier-ignore
  await expectMoments(draw((x) => init.kaimingNormal(x, { mode: "fanOut", nonlinearity: "relu", random: random() })), 0, Math.sqrt(2 / 1000)); // prettier-ignore
});

test("gains are PyTorch's", () => {
  expect(init.calculateGain("linear")).toBe(1);
  expect(init.calculateGain("tanh")).toBe(5 / 3);
  expect(init.calculateGain("relu")).toBe(Math.sqrt(2));
  expect(init.calculateGain("leaky_relu", 0.2)).toBe(Math.sqrt(2 / 1.04));
  expect(init.calculateGain("selu")).toBe(0.75);
});

test("orthogonal rows or columns have the length of the gain, and the same bits for the same numbers", async () => {
  await fc.assert(
    fc.asyncProperty(fc.integer({ min: 1, max: 7 }), fc.integer({ min: 1, max: 7 }), async (rows, columns) => {
      const data = await init.orthogonal(zeros([rows, columns, 1]), 2, { random: random() }).data();
      const at = (i: number, j: number): number =>
        (rows > columns ? data[j * columns + i] : data[i * columns + j]) ?? 0;
      const [short, long] = [Math.min(rows, columns), Math.max(rows, columns)];
      for (let a = 0; a < short; a++) {
        for (let b = 0; b <= a; b++) {
          let dot = 0;
          for (let i = 0; i < long; i++) dot += at(a, i) * at(b, i);
          expect(Math.abs(dot - (a === b ? 4 : 0))).toBeLessThan(2e-6);
        }
      }
    }),
    { numRuns: 20, seed: 1 },
  );
  const bits = async (x: Tensor): Promise<string> => [...(await x.data())].join();
  const first = await bits(init.orthogonal(zeros([16, 32]), 1, { random: random() }));
  expect(await bits(init.orthogonal(zeros([16, 32]), 1, { random: random() }))).toBe(first);
  expect(await bits(init.truncNormal(zeros([99]), 0, 1, 3, 4, { random: random() }))).toBe(await bits(init.truncNormal(zeros([99]), 0, 1, 3, 4, { random: random() }))); // prettier-ignore
});

test("eye, dirac and sparse have their structure", async () => {
  expect([...(await init.eye(zeros([2, 3])).data())]).toEqual([1, 0, 0, 0, 1, 0]);
  const kernel = [...(await init.dirac(zeros([4, 2, 3]), 2).data())];
  const ones = kernel.flatMap((value, i) => (value === 1 ? [[Math.floor(i / 6), Math.floor(i / 3) % 2, i % 3].join()] : [])); // prettier-ignore
  expect(ones).toEqual(["0,0,1", "1,1,1", "2,0,1", "3,1,1"]);
  const sparse = [...(await init.sparse(zeros([10, 4]), 0.25, 0.5, { random: random() }).data())];
  const zerosIn = [0, 1, 2, 3].map((column) => sparse.filter((value, i) => i % 4 === column && value === 0).length);
  expect(zerosIn).toEqual([3, 3, 3, 3]);
});

test("numbers come from the scope when none are given; shapes that do not fit are refused", async () => {
  const [a, b] = [1, 1].map((seed) => withRandom(new Random(seed), () => init.normal(zeros([3]))));
  expect(await a?.data()).toEqual(await b?.data());
  expect(() => init.xavierUniform(zeros([3]))).toThrow(/expected two axes or more, found the shape \[3\]/);
  expect(() => init.eye(zeros([3]))).toThrow(ShapeError);
  expect(() => init.dirac(zeros([3, 3, 3]), 2)).toThrow(OptionError);
  expect(() => init.sparse(zeros([3, 3]), 2)).toThrow(OptionError);
  expect(() => init.truncNormal(zeros([3]), 0, 1, 2, 1)).toThrow(OptionError);
});
