/** Embedding, EmbeddingBag and Bilinear against plain loops. */
import fc from "fast-check";
import { expect, test } from "vitest";
import { OptionError, ShapeError } from "../../../src/base/errors.ts";
import { Random } from "../../../src/base/random.ts";
import { tensor } from "../../../src/compute/tensor/create.ts";
import { setDefaultRuntime } from "../../../src/compute/tensor/runtime-scope.ts";
import type { Tensor } from "../../../src/compute/tensor/tensor.ts";
import { Bilinear } from "../../../src/model/nn/bilinear.ts";
import { Embedding } from "../../../src/model/nn/embedding.ts";
import { EmbeddingBag } from "../../../src/model/nn/embedding-bag.ts";
import { withRandom } from "../../../src/model/nn/init.ts";
import { deviceRuntime } from "../../compute/tensor/test-runtimes.ts";

setDefaultRuntime(deviceRuntime());

const made = <T>(fn: () => T): T => withRandom(new Random(1), fn);
const integers = (shape: number[], values: readonly number[]): Tensor =>
  tensor({ shape, data: Int32Array.from(values) });

test("the padding's row is of zeros and gets no gradient", async () => {
  const embedding = made(() => new Embedding(3, 2, { paddingIdx: -1 }));
  expect(embedding.paddingIdx).toBe(2);
  const rows = embedding.call(integers([2, 2], [0, 2, 2, 1]));
  expect(rows.shape).toEqual([2, 2, 2]);
  rows.sum().backward();
  const weight = await embedding.weight.data();
  expect([...weight.slice(4)]).toEqual([0, 0]);
  expect(weight.slice(0, 4).every((value) => value !== 0)).toBe(true);
  expect(await embedding.weight.grad?.data()).toEqual(Float32Array.of(1, 1, 1, 1, 0, 0));
  expect(() => made(() => new Embedding(3, 2, { paddingIdx: 3 }))).toThrow(/paddingIdx from -3 to 2, found 3/);
});

const bag = fc.array(fc.nat(4), { maxLength: 4 });

test("bags are summed, averaged or their largest elements, cut by offsets, without the padding, empty ones to zeros", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(bag, { minLength: 1, maxLength: 4 }),
      fc.constantFrom("sum" as const, "mean" as const, "max" as const),
      fc.constantFrom(null, 2),
      async (bags, mode, paddingIdx) => {
        const layer = made(() => new EmbeddingBag(5, 3, { mode, paddingIdx }));
        const offsets = bags.map((_, i) => bags.slice(0, i).reduce((sum, { length }) => sum + length, 0));
        const flat = bags.flat();
        const found = await layer.call(integers([flat.length], flat), integers([bags.length], offsets)).data();
        const weight = await layer.weight.data();
        bags.forEach((indices, i) => {
          const kept = indices.filter((index) => index !== paddingIdx);
          for (let j = 0; j < 3; j++) {
            const elements = kept.map((index) => weight[index * 3 + j] ?? 0);
            const sum = elements.reduce((total, element) => total + element, 0);
            const largest = elements.length === 0 ? 0 : Math.max(...elements);
            const expected = mode === "sum" ? sum : mode === "max" ? largest : sum / Math.max(1, kept.length);
            expect(Math.abs((found[i * 3 + j] ?? Number.NaN) - expected)).toBeLessThan(3e-6);
          }
        });
      },
    ),
    { numRuns: 25, seed: 8 },
  );
});

test("bags of one length come as rows, weighted in sums", async () => {
  const layer = made(() => new EmbeddingBag(4, 2, { mode: "sum" }));
  const weight = await layer.weight.data();
  const found = await layer.call(integers([2, 2], [0, 1, 3, 3]), null, tensor([[1, 2], [3, 4]])).data(); // prettier-ignore
  [0, 1].forEach((j) => {
    expect(found[j]).toBeCloseTo((weight[j] ?? 0) + 2 * (weight[2 + j] ?? 0), 5);
    expect(found[2 + j]).toBeCloseTo(7 * (weight[6 + j] ?? 0), 5);
  });
  const mean = made(() => new EmbeddingBag(4, 2));
  expect(() => mean.call(integers([1, 1], [0]), null, tensor([[1]]))).toThrow(OptionError);
  expect(() => mean.call(integers([1], [0]))).toThrow(ShapeError);
  mean.call(integers([2, 2], [0, 1, 3, 3])).sum().backward(); // prettier-ignore
  expect(await mean.weight.grad?.data()).toEqual(Float32Array.of(0.5, 0.5, 0.5, 0.5, 0, 0, 1, 1));
});

test("Bilinear is the form of its formula, for any axes before", async () => {
  const layer = made(() => new Bilinear(2, 3, 4));
  const [x1, x2] = [[1, 2, 3, 4], [1, -1, 2, 0.5, 2, -2]]; // prettier-ignore
  const found = await layer.call(tensor(x1).reshape([1, 2, 2]), tensor(x2).reshape([1, 2, 3])).data();
  const [weight, bias] = [await layer.weight.data(), await layer.bias?.data()];
  for (let row = 0; row < 2; row++) {
    for (let o = 0; o < 4; o++) {
      let expected = bias?.[o] ?? Number.NaN;
      for (let i = 0; i < 2; i++) {
        for (let j = 0; j < 3; j++) {
          expected += (x1[row * 2 + i] ?? 0) * (weight[(o * 2 + i) * 3 + j] ?? 0) * (x2[row * 3 + j] ?? 0);
        }
      }
      expect(Math.abs((found[row * 4 + o] ?? Number.NaN) - expected)).toBeLessThan(1e-5);
    }
  }
  expect(() => layer.call(tensor([[1, 2]]), tensor([[1, 2]]))).toThrow(/expected \[\.\., 2\] and \[\.\., 3\]/);
});
