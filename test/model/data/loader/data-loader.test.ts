import fc from "fast-check";
import { expect, test } from "vitest";
import { AbortedError, CorruptDataError, OptionError, ShapeError } from "../../../../src/base/errors.ts";
import type { Dataset, IterableDataset } from "../../../../src/model/data/dataset/dataset.ts";
import { TensorDataset } from "../../../../src/model/data/dataset/tensor-dataset.ts";
import { int32 } from "../../../../src/model/data/loader/collate.ts";
import { DataLoader } from "../../../../src/model/data/loader/data-loader.ts";
import type { DataLoaderOptions, DataLoaderState } from "../../../../src/model/data/loader/data-loader.ts";
import { RandomSampler, WeightedRandomSampler } from "../../../../src/model/data/loader/samplers.ts";
import { setDefaultRuntime } from "../../../../src/compute/tensor/runtime-scope.ts";
import { deviceRuntime } from "../../../compute/tensor/test-runtimes.ts";

const SEED = 20_260_412;

/** Example i is the number i, sometimes later than the next one. */
class Numbers implements Dataset<number> {
  readonly length: number;

  constructor(length: number) {
    this.length = length;
  }

  get(index: number): number | Promise<number> {
    return index % 3 === 0 ? Promise.resolve(index) : index;
  }
}

class Stream implements IterableDataset<number> {
  readonly #length: number;

  constructor(length: number) {
    this.#length = length;
  }

  async *iterate(epoch: number): AsyncIterable<number> {
    for (let i = 0; i < this.#length; i++) yield epoch * 1_000 + i;
  }
}

type Options = DataLoaderOptions<number, number[]>;

function loaderOf(dataset: Dataset<number> | IterableDataset<number>, options: Options): DataLoader<number, number[]> {
  return new DataLoader<number, number[]>(dataset, { collate: (examples) => examples, ...options });
}

/** The next `count` batches over as many epochs as it takes. */
async function take(loader: DataLoader<number, number[]>, count: number): Promise<number[][]> {
  const batches: number[][] = [];
  while (batches.length < count) {
    const before = batches.length;
    for await (const batch of loader.hostBatches()) {
      batches.push(batch);
      if (batches.length === count) break;
    }
    if (batches.length === before && loader.state().epoch > 20) break;
  }
  return batches;
}

const optionSets = fc.record({
  batchSize: fc.integer({ min: 1, max: 9 }),
  shuffle: fc.boolean(),
  dropLast: fc.boolean(),
  seed: fc.nat(5),
  prefetch: fc.nat(4),
});

test("a loader that resumes gives exactly the batches that would have come", async () => {
  const check = fc.asyncProperty(
    optionSets,
    fc.integer({ min: 9, max: 40 }),
    fc.nat(14),
    fc.boolean(),
    async (options, length, taken, isStream) => {
      const dataset = isStream ? new Stream(length) : new Numbers(length);
      const own = isStream ? { ...options, shuffle: false } : options;
      const all = await take(loaderOf(dataset, own), taken + 10);
      const first = loaderOf(dataset, own);
      const before = await take(first, taken);
      const state = JSON.parse(JSON.stringify(first.state())) as DataLoaderState;
      const after = await take(loaderOf(dataset, { ...own, prefetch: 1, state }), 10);
      expect([...before, ...after]).toEqual(all);
    },
  );
  await fc.assert(check, { numRuns: 150, seed: SEED });
});

test("an epoch has every example once, in an order of seed and epoch alone", async () => {
  const check = fc.asyncProperty(optionSets, fc.nat(40), async (options, length) => {
    const loader = loaderOf(new Numbers(length), options);
    const epochs = [await take(loader, loader.length), await take(loader, loader.length)];
    const again = loaderOf(new Numbers(length), { ...options, prefetch: 0 });
    again.resume({ ...again.state(), epoch: 1 });
    expect(await take(again, loader.length)).toEqual(epochs[1]);
    for (const batches of epochs) {
      const full = batches.flat();
      const kept = options.dropLast ? length - (length % options.batchSize) : length;
      expect(full).toHaveLength(kept);
      expect(new Set(full).size).toBe(kept);
      if (!options.shuffle) expect(full).toEqual(full.map((_, i) => i));
    }
  });
  await fc.assert(check, { numRuns: 100, seed: SEED });
});

test("orders differ between epochs and seeds, and are the same on every machine", async () => {
  const epochs = async (seed: number): Promise<number[][]> => {
    const loader = loaderOf(new Numbers(8), { shuffle: true, batchSize: 8, seed });
    return [...(await take(loader, 1)), ...(await take(loader, 1))];
  };
  // Written down once: a change of these numbers would make every saved run go on with other batches.
  expect(await epochs(7)).toEqual([
    [1, 5, 3, 4, 2, 7, 6, 0],
    [2, 7, 6, 3, 1, 4, 5, 0],
  ]);
  expect(await epochs(8)).not.toEqual(await epochs(7));
});

test("an iteration that is broken off is over: the next one is the next epoch", async () => {
  const loader = loaderOf(new Numbers(6), { batchSize: 2 });
  expect(await take(loader, 1)).toEqual([[0, 1]]);
  expect(loader.state()).toEqual({ epoch: 0, position: 1, seed: 0, batchSize: 2, examples: 6 });
  expect(await take(loader, 3)).toEqual([
    [0, 1],
    [2, 3],
    [4, 5],
  ]);
  expect(loader.state()).toMatchObject({ epoch: 1, position: 3 });
});

test("at the last batch of an epoch the place is its end; behind it, the next epoch's beginning", async () => {
  const loader = loaderOf(new Numbers(4), { batchSize: 2 });
  const places: unknown[] = [];
  for await (const _ of loader.hostBatches()) places.push(loader.state().position);
  expect(places).toEqual([1, 2]);
  expect(loader.state()).toMatchObject({ epoch: 1, position: 0 });
  expect(loader.epoch).toBe(1);
});

test("no more is loaded ahead than asked for", async () => {
  let loaded = 0;
  const dataset: Dataset<number> = { length: 100, get: (index) => ((loaded += 1), index) };
  const loader = loaderOf(dataset, { batchSize: 2, prefetch: 3 });
  const iterator = loader.hostBatches();
  for (let taken = 1; taken <= 5; taken++) {
    await iterator.next();
    await new Promise((resolve) => setTimeout(resolve, 1));
    expect(loaded).toBeLessThanOrEqual(2 * (taken + 3));
  }
  await iterator.return();
  const then = loaded;
  await new Promise((resolve) => setTimeout(resolve, 5));
  expect(loaded).toBe(then);
});

test("an error names the example, comes in its place, and training can go on from there", async () => {
  let isBroken = true;
  const dataset: Dataset<number> = {
    length: 6,
    get(index) {
      if (index === 3 && isBroken) throw new CorruptDataError("torn");
      return index;
    },
  };
  const loader = loaderOf(dataset, { batchSize: 2 });
  const iterator = loader.hostBatches();
  expect((await iterator.next()).value).toEqual([0, 1]);
  const failing = iterator.next();
  await expect(failing).rejects.toThrow(CorruptDataError);
  await expect(failing).rejects.toThrow(/example 3 .*torn/);
  isBroken = false;
  const state = loader.state();
  expect(await take(loaderOf(dataset, { batchSize: 2, state }), 1)).toEqual([[2, 3]]);
});

test("a signal ends a wait for data", async () => {
  const dataset: Dataset<number> = { length: 3, get: () => new Promise(() => {}) };
  const end = new AbortController();
  const iterator = loaderOf(dataset, { signal: end.signal }).hostBatches();
  const next = iterator.next();
  end.abort();
  await expect(next).rejects.toThrow(AbortedError);
  await expect(loaderOf(new Numbers(3), { signal: end.signal }).hostBatches().next()).rejects.toThrow(AbortedError);
});

test("batches come as tensors of what was collated", async () => {
  setDefaultRuntime(deviceRuntime());
  const images = { shape: [3, 2], data: Float32Array.of(1, 2, 3, 4, 5, 6) };
  const labels = { shape: [3], data: Int32Array.of(7, 8, 9) };
  const loader = new DataLoader(new TensorDataset(images, labels), { batchSize: 2 });
  const seen: unknown[] = [];
  for await (const [x, y] of loader)
    seen.push([x.shape, x.dtype, [...(await x.data())], y.dtype, [...(await y.data())]]);
  expect(seen).toEqual([
    [[2, 2], "float32", [1, 2, 3, 4], "int32", [7, 8]],
    [[1, 2], "float32", [5, 6], "int32", [9]],
  ]);
});

test("examples of any structure are collated", async () => {
  const example = (i: number) => ({
    name: `n${i}`,
    label: int32(i),
    flag: i > 0,
    pair: [i / 2, Uint8Array.of(i, 255)] as const,
  });
  const dataset = { length: 2, get: example };
  const { value: batch } = await new DataLoader(dataset, { batchSize: 2 }).hostBatches().next();
  expect(batch).toEqual({
    name: ["n0", "n1"],
    label: { shape: [2], data: Int32Array.of(0, 1), dtype: "int32" },
    flag: { shape: [2], data: Uint32Array.of(0, 1), dtype: "bool" },
    pair: [
      { shape: [2], data: Float32Array.of(0, 0.5), dtype: "float32" },
      { shape: [2, 2], data: Int32Array.of(0, 255, 1, 255), dtype: "int32" },
    ],
  });
});

test.each([
  [[Float32Array.of(1), Float32Array.of(1, 2)], ShapeError, /one shape, found float32 \[1\] and float32 \[2\]/],
  [[{ a: 1 }, { b: 1 }], OptionError, /one structure/],
  [[1, "x"], OptionError, /one structure/],
  [[null], OptionError, /found null/],
  [[{ x: undefined }], OptionError, /example\.x: .*found undefined/],
  [[new BigInt64Array(1)], OptionError, /BigInt64Array/],
] as const)("%# what no batch can be made of is refused", async (examples, kind, message) => {
  const dataset: Dataset<unknown> = { length: examples.length, get: (index) => examples[index] };
  const loading = new DataLoader(dataset, { batchSize: examples.length }).hostBatches().next();
  await expect(loading).rejects.toThrow(kind);
  await expect(loading).rejects.toThrow(message);
});

test("options that contradict each other, and states of other data, are refused", () => {
  const dataset = new Numbers(4);
  expect(() => loaderOf(dataset, { batchSize: 0 })).toThrow(/batchSize of at least 1, found 0/);
  expect(() => loaderOf(dataset, { sampler: new RandomSampler(4), shuffle: true })).toThrow(OptionError);
  const batchSampler = { length: 1, batches: () => () => [0] };
  expect(() => loaderOf(dataset, { batchSampler, batchSize: 2 })).toThrow(/batchSampler alone/);
  expect(() => loaderOf(new Stream(3), { shuffle: true })).toThrow(OptionError);
  expect(() => loaderOf(new Stream(3), {}).length).toThrow(OptionError);
  const state = loaderOf(dataset, { seed: 1 }).state();
  expect(() => loaderOf(dataset, { state })).toThrow(/seed 0, found 1/);
  expect(() => loaderOf(new Numbers(5), { seed: 1, state })).toThrow(/examples 5, found 4/);
  expect(() => loaderOf(dataset, { seed: 1, state: { ...state, position: 5 } })).toThrow(/place in the data/);
});

test("own batches are taken as they are", async () => {
  const batchSampler = { length: 2, batches: (epoch: number) => (batch: number) => [batch, epoch] };
  expect(await take(loaderOf(new Numbers(4), { batchSampler }), 4)).toEqual([
    [0, 0],
    [1, 0],
    [0, 1],
    [1, 1],
  ]);
  const sampler = new WeightedRandomSampler([0, 1, 0, 0], 3);
  expect(await take(loaderOf(new Numbers(4), { sampler, batchSize: 3 }), 1)).toEqual([[1, 1, 1]]);
});
