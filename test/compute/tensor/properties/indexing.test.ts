/** Reading and writing by indices: against plain loops, which write in index order. */
import fc from "fast-check";
import { expect, test } from "vitest";
import { present } from "../../../../src/base/assert.ts";
import { OptionError, ShapeError, UnsupportedError } from "../../../../src/base/errors.ts";
import { Random } from "../../../../src/base/random.ts";
import { compile } from "../../../../src/compute/tensor/compile.ts";
import { tensor } from "../../../../src/compute/tensor/create.ts";
import { grad } from "../../../../src/compute/tensor/autograd.ts";
import { crossEntropy } from "../../../../src/compute/tensor/ops/cross-entropy.ts";
import { embedding } from "../../../../src/compute/tensor/ops/gather.ts";
import { setDefaultRuntime } from "../../../../src/compute/tensor/runtime-scope.ts";
import type { ScatterReduction } from "../../../../src/compute/tensor/ops/scatter-reduce.ts";
import type { IndexEntry } from "../../../../src/compute/tensor/ops/advanced-index.ts";
import type { Tensor } from "../../../../src/compute/tensor/tensor.ts";
import { deviceRuntime } from "../test-runtimes.ts";
import { distinctFloats, floats, integers } from "./draws.ts";
import { at, broadcastAt, broadcastShape, type NdArray, ndArray } from "./nd-array.ts";
import { type OpDraw, type OpProperty, type PropertyInput, testProperties } from "./op-property.ts";

type Index = readonly number[];

const put = (index: Index, axis: number, i: number): number[] => index.map((old, k) => (k === axis ? i : old));

const sizes = fc.integer({ min: 1, max: 4 });
const seeds = fc.nat(1e6);

/** A copy that can be written. */
function copyOf(x: NdArray): { array: NdArray; set: (index: Index, value: number) => void } {
  const array = ndArray(x.shape, (index) => at(x, index));
  const set = (index: Index, value: number): void => {
    array.data[index.reduce((place, i, axis) => place * (x.shape[axis] ?? 1) + i, 0)] = value;
  };
  return { array, set };
}

/** Indices within x but for the axis, and a source that holds them. */
interface Scatter {
  readonly x: number[];
  readonly indices: number[];
  readonly source: number[];
  readonly axis: number;
  readonly seed: number;
}

const scatters: fc.Arbitrary<Scatter> = fc
  .record({ x: fc.array(sizes, { minLength: 1, maxLength: 3 }), axis: fc.nat(), cuts: fc.array(fc.nat(4), { minLength: 3, maxLength: 3 }), count: fc.nat(6), more: fc.nat(1), seed: seeds })
  .map(({ x, axis, cuts, count, more, seed }) => {
    const along = axis % x.length;
    const indices = x.map((size, i) => (i === along ? count : Math.max(1, size - (cuts[i] ?? 0))));
    return { x, indices, source: indices.map((size) => size + more), axis: along, seed };
  }); // prettier-ignore

const indexInput = ({ x, indices, axis, seed }: Scatter): PropertyInput =>
  integers(indices, seed + 7, 0, present(x[axis], "a size"));

const scatterProperty = (
  name: string,
  apply: (x: Tensor, indices: Tensor, source: Tensor, axis: number) => Tensor,
  combine: (arrived: number[], own: number) => number,
  derivatives: 0 | 1 | 2 = 2,
): OpProperty => ({
  name,
  derivatives,
  draws: scatters.map((draw): OpDraw => ({
    inputs: [floats(draw.x, draw.seed, { low: 0.5, high: 2 }), indexInput(draw), distinct(draw.source, draw.seed + 1)],
    apply: ([x, indices, source]) => apply(present(x, "x"), present(indices, "i"), present(source, "s"), draw.axis),
    expected: ([x, indices, source]) => {
      const arrived = new Map<string, number[]>();
      ndArray(draw.indices, (index) => {
        const to = put(index, draw.axis, at(present(indices, "i"), index)).join();
        arrived.set(to, [...(arrived.get(to) ?? []), at(present(source, "s"), index)]);
        return 0;
      });
      return ndArray(draw.x, (index) => combine(arrived.get(index.join()) ?? [], at(present(x, "x"), index)));
    },
  })),
}); // prettier-ignore

/** Distinct, and none equal to a value of x. */
const distinct = (shape: number[], seed: number): PropertyInput => {
  const input = distinctFloats(shape, seed);
  return { ...input, data: input.data.map((value) => value + 0.013) };
};

const reductions: Record<ScatterReduction, (values: number[]) => number> = {
  sum: (values) => values.reduce((a, b) => a + b, 0),
  mean: (values) => values.reduce((a, b) => a + b, 0) / values.length,
  prod: (values) => values.reduce((a, b) => a * b, 1),
  amax: (values) => Math.max(...values),
  amin: (values) => Math.min(...values),
};

const scatterReductions = (Object.keys(reductions) as ScatterReduction[]).flatMap((reduce) =>
  [true, false].map((includeSelf) =>
    scatterProperty(
      `scatterReduce ${reduce} ${includeSelf ? "with" : "without"} what is there`,
      (x, indices, source, axis) => x.scatterReduce(axis, indices, source, reduce, { includeSelf }),
      (arrived, own) => (arrived.length === 0 ? own : reductions[reduce](includeSelf ? [own, ...arrived] : arrived)),
    ),
  ),
);

/** x, an axis and n indices of it. */
const alongAxis = fc
  .record({ x: fc.array(sizes, { minLength: 1, maxLength: 3 }), axis: fc.nat(), count: fc.nat(6), seed: seeds })
  .map((draw) => ({ ...draw, axis: draw.axis % draw.x.length }));

function alongProperty(
  name: string,
  apply: (x: Tensor, axis: number, indices: Tensor, source: Tensor) => Tensor,
  change: (old: number, value: number) => number,
): OpProperty {
  return {
    name,
    draws: alongAxis.map(({ x: shape, axis, count, seed }): OpDraw => ({
      inputs: [floats(shape, seed), integers([count], seed, 0, shape[axis] ?? 1), floats(put(shape, axis, count), seed + 1)],
      apply: ([x, i, s]) => apply(present(x, "x"), axis, present(i, "i"), present(s, "s")),
      expected: ([x, i, s]) => {
        const { array, set } = copyOf(present(x, "x"));
        ndArray(put(shape, axis, count), (index) => {
          const to = put(index, axis, at(present(i, "i"), [index[axis] ?? 0]));
          set(to, change(at(array, to), at(present(s, "s"), index)));
          return 0;
        });
        return array;
      },
    })),
  }; // prettier-ignore
}

/** Entries for Python's x[..] of a shape, with host values; tensors come as inputs. */
type Entry = number | [number | null, number | null, number] | null | "tensor";

interface IndexDraw {
  readonly shape: number[];
  readonly entries: Entry[];
  readonly indexShape: number[];
  readonly seed: number;
  readonly withDots: boolean;
}

const indexDraws: fc.Arbitrary<IndexDraw> = fc
  .array(sizes, { minLength: 1, maxLength: 4 })
  .chain((shape) =>
    fc.record({
      shape: fc.constant(shape),
      entries: fc.tuple(...shape.map((size) => fc.oneof(
        fc.integer({ min: -size, max: size - 1 }),
        fc.tuple(fc.option(fc.integer({ min: -size, max: size })), fc.option(fc.integer({ min: -size, max: size })), fc.constantFrom(1, 2, -1, -2)),
        fc.constant(null),
        fc.constant("tensor" as const),
      ))),
      indexShape: fc.array(fc.integer({ min: 1, max: 3 }), { maxLength: 2 }),
      seed: seeds,
      withDots: fc.boolean(),
    }),
  )
  .map((draw) => ({ ...draw, entries: [...draw.entries] as Entry[] })); // prettier-ignore

/** Places along an axis that a range takes, as Python says. */
function rangePlaces(size: number, [start, stop, step]: [number | null, number | null, number]): number[] {
  const wrap = (place: number): number => (place < 0 ? place + size : place);
  const bound = (place: number, low: number, high: number): number => Math.min(Math.max(wrap(place), low), high);
  const places: number[] = [];
  if (step > 0) {
    for (let i = start === null ? 0 : bound(start, 0, size); i < (stop === null ? size : bound(stop, 0, size)); i += step) places.push(i);
  } else {
    const end = stop === null ? -1 : bound(stop, -1, size - 1);
    for (let i = start === null ? size - 1 : bound(start, -1, size - 1); i > end; i += step) places.push(i);
  }
  return places;
} // prettier-ignore

/** The shape of the result, and for each index into it the place in x. */
function indexOracle({ shape, entries }: IndexDraw, tensors: readonly NdArray[]) {
  const common = broadcastShape(...tensors.map((x) => x.shape));
  const ranges = entries.map((entry, axis) => {
    const size = shape[axis] ?? 0;
    if (entry === "tensor" || typeof entry === "number") return [];
    return rangePlaces(size, entry ?? [null, null, 1]);
  });
  const kept = entries.flatMap((entry, axis) => (typeof entry === "number" ? [] : [axis]));
  const tensorAt = kept.flatMap((axis, i) => (entries[axis] === "tensor" ? [i] : []));
  const together = tensorAt.every((place, i) => place === (tensorAt[0] ?? 0) + i);
  const plain = kept.filter((axis) => entries[axis] !== "tensor");
  const lead = tensorAt.length === 0 ? 0 : together ? (tensorAt[0] ?? 0) : 0;
  const before = plain.slice(0, lead);
  const after = plain.slice(lead);
  const lengths = (axes: number[]): number[] => axes.map((axis) => ranges[axis]?.length ?? 0);
  const out = [...lengths(before), ...(tensorAt.length === 0 ? [] : common), ...lengths(after)];
  const placeOf = (index: Index): number[] => {
    const middle = tensorAt.length === 0 ? 0 : common.length;
    const among = index.slice(before.length, before.length + middle);
    const own = new Map([...before, ...after].map((axis, i) => [axis, ranges[axis]?.[index[i < before.length ? i : i + middle] ?? 0] ?? 0]));
    let next = 0;
    return entries.map((entry, axis) => {
      const size = shape[axis] ?? 0;
      const value = entry === "tensor" ? broadcastAt(present(tensors[next++], "a tensor"), among) : typeof entry === "number" ? entry : (own.get(axis) ?? 0);
      return value < 0 ? value + size : value;
    });
  };
  return { out, placeOf };
} // prettier-ignore

function entriesFor({ entries, withDots, shape }: IndexDraw, tensors: readonly Tensor[]): IndexEntry[] {
  let next = 0;
  const list = entries.map((entry): IndexEntry => (entry === "tensor" ? present(tensors[next++], "a tensor") : entry));
  if (!withDots) return list;
  const last = list.findLastIndex((entry) => entry !== null);
  return last < shape.length - 1 ? [...list.slice(0, last + 1), "..."] : list;
}

const tensorInputs = ({ shape, entries, indexShape, seed }: IndexDraw): PropertyInput[] =>
  entries.flatMap((entry, axis) =>
    entry === "tensor" ? [integers(indexShape, seed + axis, -(shape[axis] ?? 0), shape[axis] ?? 1)] : [],
  );

testProperties(
  [
    {
      name: "gather",
      draws: scatters.map((draw): OpDraw => ({
        inputs: [floats(draw.x, draw.seed), indexInput(draw)],
        apply: ([x, i]) => present(x, "x").gather(draw.axis, present(i, "i")),
        expected: ([x, i]) => ndArray(draw.indices, (index) => at(present(x, "x"), put(index, draw.axis, at(present(i, "i"), index)))),
      })),
    },
    {
      name: "takeAlongDim",
      draws: scatters.map((draw): OpDraw => {
        const shape = draw.x.map((_, axis) => (axis === draw.axis ? (draw.indices[axis] ?? 0) : 1));
        return {
          inputs: [floats(draw.x, draw.seed), integers(shape, draw.seed, 0, draw.x[draw.axis] ?? 1)],
          apply: ([x, i]) => present(x, "x").takeAlongDim(present(i, "i"), draw.axis),
          expected: ([x, i]) => ndArray(put(draw.x, draw.axis, shape[draw.axis] ?? 0), (index) => at(present(x, "x"), put(index, draw.axis, broadcastAt(present(i, "i"), index)))),
        };
      }),
    },
    {
      name: "take",
      draws: alongAxis.map(({ x: shape, count, seed }): OpDraw => {
        const size = shape.reduce((a, b) => a * b, 1);
        return {
          inputs: [floats(shape, seed), integers([count], seed, -size, size)],
          apply: ([x, i]) => present(x, "x").take(present(i, "i")),
          expected: ([x, i]) => ndArray([count], (index) => present(x, "x").data.at(at(present(i, "i"), index)) ?? 0),
        };
      }),
    },
    {
      name: "indexSelect",
      draws: alongAxis.map(({ x: shape, axis, count, seed }): OpDraw => ({
        inputs: [floats(shape, seed), integers([count], seed, 0, shape[axis] ?? 1)],
        apply: ([x, i]) => present(x, "x").indexSelect(axis - shape.length, present(i, "i")),
        expected: ([x, i]) => ndArray(put(shape, axis, count), (index) => at(present(x, "x"), put(index, axis, at(present(i, "i"), [index[axis] ?? 0])))),
      })),
    },
    alongProperty("indexAdd", (x, axis, i, s) => x.indexAdd(axis, i, s, { alpha: 0.5 }), (old, value) => old + value / 2),
    alongProperty("indexCopy", (x, axis, i, s) => x.indexCopy(axis, i, s), (_, value) => value),
    alongProperty("indexFill", (x, axis, i) => x.indexFill(axis, i, 3), () => 3),
    scatterProperty("scatter", (x, i, s, axis) => x.scatter(axis, i, s), (arrived, own) => arrived.at(-1) ?? own),
    scatterProperty("scatter of a number", (x, i, _, axis) => x.scatter(axis, i, 4), (arrived, own) => (arrived.length > 0 ? 4 : own)),
    scatterProperty("scatterAdd", (x, i, s, axis) => x.scatterAdd(axis, i, s), (arrived, own) => arrived.reduce((a, b) => a + b, own)),
    ...scatterReductions,
    {
      name: "index with numbers, ranges and tensors",
      draws: indexDraws.map((draw): OpDraw => ({
        inputs: [floats(draw.shape, draw.seed), ...tensorInputs(draw)],
        apply: ([x, ...tensors]) => present(x, "x").index(entriesFor(draw, tensors)),
        expected: ([x, ...tensors]) => {
          const { out, placeOf } = indexOracle(draw, tensors);
          return ndArray(out, (index) => at(present(x, "x"), placeOf(index)));
        },
      })),
    },
    ...[false, true].map((accumulate): OpProperty => ({
      name: `indexPut${accumulate ? ", accumulating" : ""}`,
      draws: indexDraws.map((draw): OpDraw => {
        const zeros = tensorInputs(draw).map(({ shape }) => ndArray(shape, () => 0));
        const { out } = indexOracle(draw, zeros);
        return {
          inputs: [floats(draw.shape, draw.seed), floats(out, draw.seed + 9), ...tensorInputs(draw)],
          apply: ([x, values, ...tensors]) => present(x, "x").indexPut(entriesFor(draw, tensors), present(values, "v"), { accumulate }),
          expected: ([x, values, ...tensors]) => {
            const { placeOf } = indexOracle(draw, tensors);
            const { array, set } = copyOf(present(x, "x"));
            ndArray(out, (index) => {
              const place = placeOf(index);
              set(place, at(present(values, "v"), index) + (accumulate ? at(array, place) : 0));
              return 0;
            });
            return array;
          },
        };
      }),
    })),
  ],
  { runs: 10, webGpuRuns: 1 },
); // prettier-ignore

async function onDevice(run: () => Promise<void>): Promise<void> {
  const runtime = deviceRuntime();
  setDefaultRuntime(runtime);
  try {
    await run();
  } finally {
    setDefaultRuntime(null);
    runtime.destroy();
  }
}

const ints = (...values: number[]): Tensor => tensor(Int32Array.of(...values));
const list = async (x: Tensor): Promise<number[]> => [...(await x.data())];

test("many writes to few places leave the last of each, on lines longer than a block", () =>
  onDevice(async () => {
    const random = new Random(3, "writes");
    const places = Int32Array.from({ length: 5_000 }, () => random.below(40));
    const values = Float32Array.from({ length: 5_000 }, (_, i) => i);
    const expected = new Float32Array(50).fill(-1);
    places.forEach((place, i) => (expected[place] = i));
    const x = tensor(new Float32Array(50).fill(-1));
    expect(await list(x.scatter(0, tensor(places), tensor(values)))).toEqual([...expected]);
    expect(await list(x.indexPut([tensor(places)], tensor(values)))).toEqual([...expected]);
    expect(await list(x.scatterReduce(0, tensor(places), tensor(values), "amax"))).toEqual([...expected]);
  }));

test("equal maxima share the gradient of scatterReduce", () =>
  onDevice(async () => {
    const [x, source] = [tensor([2, 0], { requiresGrad: true }), tensor([2, 1, 2], { requiresGrad: true })];
    const loss = x.scatterReduce(0, ints(0, 0, 0), source, "amax").sum();
    const [dx, ds] = grad(loss, [x, source]) as [Tensor, Tensor];
    expect((await list(dx)).map((v) => Math.round(v * 3000))).toEqual([1000, 3000]);
    expect((await list(ds)).map((v) => Math.round(v * 3000))).toEqual([1000, 0, 1000]);
  }));

test("what depends on values is read back: unique, nonzero, maskedSelect, bincount", () =>
  onDevice(async () => {
    const x = tensor([[3, 0, 2], [0, 3, 3]]);
    const { values, inverseIndices, counts } = await x.unique();
    expect([await list(values), await list(counts)]).toEqual([[0, 2, 3], [2, 1, 3]]);
    expect([inverseIndices.shape, await list(inverseIndices)]).toEqual([[2, 3], [2, 0, 1, 0, 2, 2]]);
    const rows = await tensor([[1, 2], [0, 5], [1, 2]]).unique({ axis: 0 });
    expect([rows.values.shape, await list(rows.values), await list(rows.inverseIndices)]).toEqual([[2, 2], [0, 5, 1, 2], [1, 0, 1]]);
    expect(await list((await ints(1, 1, 2, 1).uniqueConsecutive()).values)).toEqual([1, 2, 1]);
    const places = await x.nonzero();
    expect([places.shape, await list(places)]).toEqual([[4, 2], [0, 0, 0, 2, 1, 1, 1, 2]]);
    expect((await tensor(0).nonzero()).shape).toEqual([0, 0]);
    const leaf = tensor([1, 2, 3], { requiresGrad: true });
    const chosen = await leaf.maskedSelect(tensor([true, false, true]));
    expect(await list(chosen)).toEqual([1, 3]);
    expect(await list(grad(chosen.mul(chosen).sum(), [leaf])[0] as Tensor)).toEqual([2, 0, 6]);
    expect(await list(await ints(0, 3, 3).bincount())).toEqual([1, 0, 0, 2]);
    expect(await list(await ints(0, 1, 1).bincount({ weights: tensor([0.5, 1, 2]), minLength: 3 }))).toEqual([0.5, 3, 0]);
    await expect(ints(-1).bincount()).rejects.toThrow(OptionError);
  })); // prettier-ignore

test("an index from the host that is out of range is refused, with op, size and index", () =>
  onDevice(async () => {
    const x = tensor([[1, 2, 3], [4, 5, 6]]); // prettier-ignore
    expect(() => x.gather(1, tensor(Int32Array.of(0, 3), {}).reshape([2, 1]))).toThrow(
      /gather: expected indices from 0 to 2 for an axis of size 3, found 3/,
    );
    expect(() => x.gather(0, tensor([[-1]], { dtype: "int32" }))).toThrow(OptionError);
    expect(() => x.indexSelect(0, ints(0, 2))).toThrow(/indexSelect: .* found 2/);
    expect(() => embedding(tensor([[1, 2]], { dtype: "int32" }), x)).toThrow(/embedding: .* size 2, found 2/);
    expect(() => x.scatter(1, tensor([[5]], { dtype: "int32" }), 0)).toThrow(OptionError);
    expect(() => x.indexAdd(0, ints(-1), tensor([[1, 1, 1]]))).toThrow(OptionError);
    expect(() => x.at(ints(-3))).toThrow(/index: expected indices from -2 to 1/);
    expect(() => x.at(2)).toThrow(OptionError);
    expect(() => x.select(1, -4)).toThrow(OptionError);
    expect(() => ints(0, 7).oneHot(7)).toThrow(OptionError);
    expect(() => crossEntropy(x, ints(0, 3))).toThrow(/crossEntropy: .* found 3/);
    expect(await crossEntropy(x, ints(-100, 2)).item()).toBeCloseTo(0.4076, 4);
    expect(() => crossEntropy(x, ints(-100, -1))).toThrow(/found -1/);
  }));

test("indices that the host no longer knows are clamped, not refused", () =>
  onDevice(async () => {
    const x = tensor([10, 20, 30]);
    expect(await list(x.gather(0, ints(1, 2).add(5)))).toEqual([30, 30]);
    const indices = ints(0, 9);
    expect(() => x.gather(0, indices)).toThrow(OptionError);
    expect(await list(x.gather(0, indices.slice([[0, 1]])))).toEqual([10]);
    indices.write(Int32Array.of(2, 1));
    expect(await list(x.gather(0, indices))).toEqual([30, 20]);
    indices.write(Int32Array.of(2, 3));
    expect(() => x.gather(0, indices)).toThrow(/found 3/);
    const counter = ints(0);
    const step = compile(() => counter.assign(counter.add(2)).add(1));
    await step({});
    await step({});
    expect(await list(x.gather(0, counter))).toEqual([30]);
  }));

test("no index fits an empty axis, and none is needed for none", () =>
  onDevice(async () => {
    const x = tensor({ shape: [0, 2], data: new Float32Array() });
    expect(() => x.indexSelect(0, ints(0))).toThrow(/no index, for an axis of size 0/);
    expect(x.indexSelect(0, ints()).shape).toEqual([0, 2]);
    expect(x.at(null, 1).shape).toEqual([0]);
    await Promise.resolve();
  }));

test("bad entries, shapes and masks are refused", () =>
  onDevice(async () => {
    const x = tensor([[1, 2], [3, 4]]); // prettier-ignore
    expect(() => x.at("...", 0, "...")).toThrow(OptionError);
    expect(() => x.at(0, 0, 0)).toThrow(ShapeError);
    expect(() => x.at(tensor([true, false]))).toThrow(UnsupportedError);
    expect(() => x.at(tensor([0.5]))).toThrow(UnsupportedError);
    expect(() => x.scatter(0, tensor([[0, 0, 0]], { dtype: "int32" }), 1)).toThrow(ShapeError);
    expect(() => x.indexCopy(0, ints(0), x)).toThrow(ShapeError);
    expect(() => x.indexFill(0, ints(0), x)).toThrow(ShapeError);
    expect(() => x.scatterReduce(0, ints(0).reshape([1, 1]), x, "most" as "sum")).toThrow(OptionError);
    expect(() => ints(0).oneHot(0)).toThrow(OptionError);
    await Promise.resolve();
  }));
