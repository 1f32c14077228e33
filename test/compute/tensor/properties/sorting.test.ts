/** Sorting, selecting by order and searching: against JavaScript's stable sort. */
import fc from "fast-check";
import { expect, test } from "vitest";
import { present } from "../../../../src/base/assert.ts";
import { OptionError, ShapeError } from "../../../../src/base/errors.ts";
import { Random } from "../../../../src/base/random.ts";
import type { Runtime } from "../../../../src/compute/runtime/runtime.ts";
import { tensor } from "../../../../src/compute/tensor/create.ts";
import { histc } from "../../../../src/compute/tensor/ops/bincount.ts";
import { median, nanMedian } from "../../../../src/compute/tensor/ops/median.ts";
import { bucketize, searchSorted } from "../../../../src/compute/tensor/ops/search-sorted.ts";
import { setDefaultRuntime } from "../../../../src/compute/tensor/runtime-scope.ts";
import type { Tensor } from "../../../../src/compute/tensor/tensor.ts";
import { deviceRuntime } from "../test-runtimes.ts";
import { distinctFloats, floats, integers, shapes } from "./draws.ts";
import { at, type NdArray, ndArray } from "./nd-array.ts";
import { type OpDraw, type OpProperty, testProperties } from "./op-property.ts";

const put = (index: readonly number[], axis: number, i: number): number[] =>
  index.map((old, other) => (other === axis ? i : old));

/** The line of `x` along `axis` through `index`, and the places of its elements in ascending order. */
function orderAlong(x: NdArray, axis: number, index: readonly number[]): number[] {
  const line = Array.from({ length: x.shape[axis] ?? 1 }, (_, i) => at(x, put(index, axis, i)));
  return line.map((_, i) => i).sort((a, b) => (line[a] ?? 0) - (line[b] ?? 0) || a - b); // prettier-ignore
}

interface Line {
  readonly shape: number[];
  readonly axis: number;
  readonly seed: number;
  readonly descending: boolean;
  readonly part: number;
}

const lines: fc.Arbitrary<Line> = fc.record({ shape: shapes(1, 3), axis: fc.nat(), seed: fc.nat(), descending: fc.boolean(), part: fc.nat() })
  .map((draw) => ({ ...draw, axis: draw.axis % draw.shape.length })); // prettier-ignore

/** A property of distinct values along an axis that becomes `countOf` long; `pick` says which of the ordered places. */
function picking(
  name: string,
  apply: (x: Tensor, line: Line, size: number) => Tensor,
  oracle: (x: NdArray, line: Line) => NdArray,
  needsElements = false,
): OpProperty {
  const usable = lines.filter(({ shape, axis }) => !needsElements || (shape[axis] ?? 0) > 0);
  return {
    name,
    draws: usable.map((line): OpDraw => ({
      inputs: [distinctFloats(line.shape, line.seed)],
      apply: ([x]) => apply(present(x, "x"), line, line.shape[line.axis] ?? 0),
      expected: ([x]) => oracle(present(x, "x"), line),
    })),
  };
}

const sorted =
  (isIndex: boolean, countOf: (size: number, line: Line) => number) =>
  (x: NdArray, line: Line): NdArray => {
    const { axis, descending } = line;
    const size = x.shape[axis] ?? 0;
    return ndArray(put(x.shape, axis, countOf(size, line)), (index) => {
      const order = orderAlong(x, axis, index);
      const place = (descending ? order.reverse() : order)[index[axis] ?? 0] ?? 0;
      return isIndex ? place : at(x, put(index, axis, place));
    });
  };

const few = (size: number, { part }: Line): number => part % (size + 1);

const dropAxis = (x: NdArray, axis: number): NdArray => ({ shape: x.shape.filter((_, i) => i !== axis), data: x.data });

/** The element with the `rank`-th smallest value of each line. */
const ranked =
  (isIndex: boolean, rankOf: (size: number, line: Line) => number) =>
  (x: NdArray, line: Line): NdArray => {
    const { axis } = line;
    const rank = rankOf(x.shape[axis] ?? 0, line);
    return dropAxis(
      ndArray(put(x.shape, axis, 1), (index) => {
        const place = orderAlong(x, axis, index)[rank] ?? 0;
        return isIndex ? place : at(x, put(index, axis, place));
      }),
      axis,
    );
  };

testProperties(
  [
    picking("sort", (x, { axis, descending }) => x.sort(axis, { descending }).values, sorted(false, (n) => n)),
    picking("argsort", (x, { axis, descending }) => x.argsort(axis, { descending }), sorted(true, (n) => n)),
    picking(
      "topK values",
      (x, line, size) => x.topK(few(size, line), line.axis, { largest: line.descending }).values,
      sorted(false, few),
    ),
    picking(
      "topK indices",
      (x, line, size) => x.topK(few(size, line), line.axis - line.shape.length, { largest: line.descending }).indices,
      sorted(true, few),
    ),
    picking(
      "kthValue",
      (x, line, size) => x.kthValue(1 + (line.part % size), line.axis).values,
      ranked(false, (size, { part }) => part % size),
      true,
    ),
    picking(
      "median along an axis",
      (x, { axis }) => x.median(axis).values,
      ranked(false, (size) => (size - 1) >> 1),
      true,
    ),
    picking(
      "median's indices",
      (x, { axis }) => x.nanMedian(axis).indices,
      ranked(true, (size) => (size - 1) >> 1),
      true,
    ),
    {
      name: "searchSorted",
      draws: fc.record({ n: fc.nat(9), m: fc.nat(5), rows: fc.integer({ min: 1, max: 3 }), seed: fc.nat(), right: fc.boolean() })
        .map(({ n, m, rows, seed, right }): OpDraw => ({
          inputs: [integers([rows, n], seed, 0, 6), integers([rows, m], seed + 1, -1, 7)],
          apply: ([line, values]) => searchSorted(present(line, "line").sort(1).values, present(values, "values"), { right }),
          expected: ([line, values]) => ndArray([rows, m], ([row = 0, j = 0]) => {
            const value = at(present(values, "values"), [row, j]);
            const all = Array.from({ length: n }, (_, i) => at(present(line, "line"), [row, i]));
            return all.filter((x) => (right ? x <= value : x < value)).length;
          }),
        })),
    },
    {
      name: "bucketize",
      draws: fc.record({ shape: shapes(0, 3), n: fc.nat(7), seed: fc.nat(), right: fc.boolean() })
        .map(({ shape, n, seed, right }): OpDraw => ({
          inputs: [floats(shape, seed), { shape: [n], data: Array.from({ length: n }, (_, i) => i / 2 - 1.5) }],
          apply: ([x, edges]) => bucketize(present(x, "x"), present(edges, "edges"), { right }),
          expected: ([x, edges]) => ndArray(shape, (_, place) => {
            const value = x?.data[place] ?? 0;
            return [...present(edges, "edges").data].filter((edge) => (right ? edge <= value : edge < value)).length;
          }),
        })),
    },
    {
      name: "histc",
      draws: fc.record({ shape: shapes(0, 2), seed: fc.nat(), bins: fc.integer({ min: 1, max: 6 }) })
        .map(({ shape, seed, bins }): OpDraw => ({
          inputs: [{ ...floats(shape, seed), hasGradient: false }],
          apply: ([x]) => histc(present(x, "x"), { bins, min: -1, max: 1.5 }),
          expected: ([x]) => ndArray([bins], ([bin = 0]) =>
            [...present(x, "x").data].filter((v) => v >= -1 && v <= 1.5 && Math.min(bins - 1, Math.floor(((v + 1) / 2.5) * bins)) === bin).length),
        })),
    },
  ],
  { runs: 12, webGpuRuns: 1 },
); // prettier-ignore

async function onDevice(run: () => Promise<void>): Promise<void> {
  const runtime: Runtime = deviceRuntime();
  setDefaultRuntime(runtime);
  try {
    await run();
  } finally {
    setDefaultRuntime(null);
    runtime.destroy();
  }
}

test("long lines with many equal elements are sorted stably, in both directions", () =>
  onDevice(async () => {
    for (const [rows, size] of [[1, 3000], [3, 2600], [2, 5121]] as const) {
      const random = new Random(size, "ties");
      const data = Int32Array.from({ length: rows * size }, () => random.below(200) - 100);
      for (const descending of [false, true]) {
        const { values, indices } = tensor({ shape: [rows, size], data }).sort(1, { descending });
        const [found, places] = [await values.data(), await indices.data()];
        for (let row = 0; row < rows; row++) {
          const line = data.slice(row * size, (row + 1) * size);
          const sign = descending ? -1 : 1;
          const order = [...line.keys()].sort((a, b) => sign * ((line[a] ?? 0) - (line[b] ?? 0)) || a - b);
          expect([...places.slice(row * size, (row + 1) * size)]).toEqual(order);
          expect([...found.slice(row * size, (row + 1) * size)]).toEqual(order.map((place) => line[place]));
        }
      }
    }
  })); // prettier-ignore

test("the few largest of a long line are those that a sort gives", () =>
  onDevice(async () => {
    const random = new Random(7, "top");
    const data = Float32Array.from({ length: 2 * 9_000 }, () => Math.fround(random.normal()));
    const x = tensor({ shape: [2, 9_000], data });
    for (const largest of [true, false]) {
      const { values, indices } = x.topK(40, 1, { largest });
      const [found, places] = [await values.data(), await indices.data()];
      for (const row of [0, 1]) {
        const line = data.slice(row * 9_000, (row + 1) * 9_000);
        const order = Float32Array.from(line).sort();
        const expected = largest ? [...order].reverse().slice(0, 40) : [...order].slice(0, 40);
        expect([...found.slice(row * 40, (row + 1) * 40)]).toEqual(expected);
        expect([...places.slice(row * 40, (row + 1) * 40)].map((place) => line[place])).toEqual(expected);
      }
    }
  }));

test("NaN is greater than all numbers, infinities are at the ends, and both zeros are equal", () =>
  onDevice(async () => {
    const x = tensor(Float32Array.of(0, Number.NaN, -Infinity, 3, -0, Infinity, -2));
    const { values, indices } = x.sort();
    expect([...(await values.data())].map((v) => (v === 0 ? 0 : v))).toEqual([-Infinity, -2, 0, 0, 3, Infinity, Number.NaN]);
    expect([...(await indices.data())]).toEqual([2, 6, 0, 4, 3, 5, 1]);
    expect([...(await x.topK(2).indices.data())]).toEqual([1, 5]);
    expect(await median(x).item()).toBeNaN();
    expect(await nanMedian(x).item()).toBe(0);
    expect(await median(tensor([5, 1, 4, 2])).item()).toBe(2);
  })); // prettier-ignore

test("integers of all dtypes are sorted over their whole range", () =>
  onDevice(async () => {
    const unsigned = tensor(Uint32Array.of(4_294_967_295, 0, 2_147_483_648, 2_147_483_647));
    expect([...(await unsigned.sort().values.data())]).toEqual([0, 2_147_483_647, 2_147_483_648, 4_294_967_295]);
    const signed = tensor(Int32Array.of(2_147_483_647, -2_147_483_648, -1, 0));
    expect([...(await signed.sort(0, { descending: true }).values.data())]).toEqual([2_147_483_647, 0, -1, -2_147_483_648]);
    expect([...(await tensor([true, false, true]).argsort().data())]).toEqual([1, 0, 2]);
  })); // prettier-ignore

test("a number is sorted as a line of one, and empty lines give empty ones", () =>
  onDevice(async () => {
    const { values, indices } = tensor(3).sort();
    expect([values.shape, await values.item(), await indices.item()]).toEqual([[], 3, 0]);
    expect(tensor({ shape: [2, 0], data: new Float32Array() }).sort(1).indices.shape).toEqual([2, 0]);
  }));

test("bad counts, axes and shapes are refused", () =>
  onDevice(async () => {
    const x = tensor([[1, 2, 3]]);
    expect(() => x.topK(4)).toThrow(/topK: expected a count from 0 to 3, found 4/);
    expect(() => x.topK(4)).toThrow(OptionError);
    expect(() => x.kthValue(0)).toThrow(OptionError);
    expect(() => x.sort(2)).toThrow(OptionError);
    expect(() => tensor({ shape: [0], data: new Float32Array() }).median()).toThrow(ShapeError);
    expect(() => searchSorted(x, tensor([[1], [2]]))).toThrow(ShapeError);
    expect(() => bucketize(x, x)).toThrow(ShapeError);
    expect(() => histc(x, { bins: 0 })).toThrow(OptionError);
    await Promise.resolve();
  }));
