import { expect, test } from "vitest";
import { OptionError, ShapeError } from "../../../../src/base/errors.ts";
import type { Dataset } from "../../../../src/model/data/dataset/dataset.ts";
import { randomSplit } from "../../../../src/model/data/dataset/random-split.ts";
import { ConcatDataset, MapDataset, Subset } from "../../../../src/model/data/dataset/subset.ts";
import { TensorDataset } from "../../../../src/model/data/dataset/tensor-dataset.ts";

function letters(text: string): Dataset<string> {
  return { length: text.length, get: (index) => text[index] ?? "" };
}

function all<T>(dataset: Dataset<T>): Promise<T[]> {
  return Promise.all(Array.from({ length: dataset.length }, (_, index) => dataset.get(index)));
}

test("datasets are cut, joined and changed", async () => {
  const joined = new ConcatDataset([letters("ab"), letters(""), letters("cde")]);
  expect(await all(joined)).toEqual(["a", "b", "c", "d", "e"]);
  expect(await all(new Subset(joined, [4, 0, 4]))).toEqual(["e", "a", "e"]);
  const late: Dataset<string> = { length: 1, get: async () => "x" };
  expect(await all(new MapDataset(new ConcatDataset([joined, late]), (letter, index) => letter + index))).toEqual([
    "a0",
    "b1",
    "c2",
    "d3",
    "e4",
    "x5",
  ]);
});

test("an index that is none is refused by every dataset", () => {
  const joined = new ConcatDataset([letters("ab")]);
  for (const index of [-1, 2, 0.5, Number.NaN]) {
    expect(() => joined.get(index)).toThrow(OptionError);
    expect(() => new Subset(joined, [index])).toThrow(OptionError);
    expect(() => new MapDataset(joined, (x) => x).get(index)).toThrow(/from 0 to 1, found/);
  }
  expect(() => new ConcatDataset([])).toThrow(OptionError);
});

test("random parts share nothing, have the lengths asked for, and are a function of the seed", async () => {
  const dataset = letters("abcdefghij");
  const parts = randomSplit(dataset, [6, 3, 1], { seed: 4 });
  const texts = await Promise.all(parts.map(async (part) => (await all(part)).join("")));
  expect(texts.map((text) => text.length)).toEqual([6, 3, 1]);
  expect([...texts.join("")].sort().join("")).toBe("abcdefghij");
  const again = randomSplit(dataset, [0.6, 0.3, 0.1], { seed: 4 });
  expect(await Promise.all(again.map(async (part) => (await all(part)).join("")))).toEqual(texts);
  expect(randomSplit(dataset, [0.25, 0.75]).map(({ length }) => length)).toEqual([3, 7]);
  expect(randomSplit(dataset, [1, 0]).map(({ length }) => length)).toEqual([10, 0]);
  expect(() => randomSplit(dataset, [5, 4])).toThrow(/add up to 10 .*found 5, 4/);
  expect(() => randomSplit(dataset, [0.5, 0.4])).toThrow(OptionError);
});

test("a dataset of tensors gives rows, and batches of rows", () => {
  const dataset = new TensorDataset(
    { shape: [3, 2, 1], data: Float32Array.of(1, 2, 3, 4, 5, 6) },
    { shape: [3], data: Uint32Array.of(1, 0, 1), dtype: "bool" as const },
  );
  expect(dataset.length).toBe(3);
  expect(dataset.get(1)).toEqual([
    { shape: [2, 1], data: Float32Array.of(3, 4), dtype: "float32" },
    { shape: [], data: Uint32Array.of(0), dtype: "bool" },
  ]);
  expect(dataset.getBatch([2, 0])).toEqual([
    { shape: [2, 2, 1], data: Float32Array.of(5, 6, 1, 2), dtype: "float32" },
    { shape: [2], data: Uint32Array.of(1, 1), dtype: "bool" },
  ]);
  expect(() => dataset.get(3)).toThrow(OptionError);
  expect(() => dataset.getBatch([3])).toThrow(OptionError);
  const ones = { shape: [1], data: Float32Array.of(1) };
  expect(() => new TensorDataset(ones, { shape: [2], data: Float32Array.of(1, 2) })).toThrow(ShapeError);
  expect(() => new TensorDataset({ shape: [2], data: Float32Array.of(1) })).toThrow(ShapeError);
  expect(() => new TensorDataset()).toThrow(OptionError);
});
