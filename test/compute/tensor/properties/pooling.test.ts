/** Pools over one to three axes, against loops over the elements of every window. */
import fc from "fast-check";
import { expect, test } from "vitest";
import { present } from "../../../../src/base/assert.ts";
import { OptionError, ShapeError } from "../../../../src/base/errors.ts";
import { zeros } from "../../../../src/compute/tensor/create.ts";
import {
  adaptiveAvgPool1d,
  adaptiveAvgPool2d,
  adaptiveAvgPool3d,
  adaptiveMaxPool1d,
  adaptiveMaxPool2d,
  adaptiveMaxPool3d,
} from "../../../../src/compute/tensor/ops/adaptive-pool.ts";
import { avgPool1d, avgPool2d, avgPool3d } from "../../../../src/compute/tensor/ops/avg-pool.ts";
import {
  maxPool1d,
  maxPool1dWithIndices,
  maxPool2d,
  maxPool2dWithIndices,
  maxPool3d,
  maxPool3dWithIndices,
} from "../../../../src/compute/tensor/ops/max-pool.ts";
import type { Tensor } from "../../../../src/compute/tensor/tensor.ts";
import { distinctFloats, floats } from "./draws.ts";
import { type NdArray, ndArray } from "./nd-array.ts";
import { type OpProperty, testProperties } from "./op-property.ts";

const MAX = [maxPool1d, maxPool2d, maxPool3d];
const MAX_INDICES = [maxPool1dWithIndices, maxPool2dWithIndices, maxPool3dWithIndices];
const AVG = [avgPool1d, avgPool2d, avgPool3d];
const ADAPTIVE_AVG = [adaptiveAvgPool1d, adaptiveAvgPool2d, adaptiveAvgPool3d];
const ADAPTIVE_MAX = [adaptiveMaxPool1d, adaptiveMaxPool2d, adaptiveMaxPool3d];

/** A window along one axis: places in the input, and how many of padding and input count. */
interface Span {
  readonly places: readonly number[];
  readonly padded: number;
}

/** The windows along an axis, one after another for as long as PyTorch counts them. */
function spans(length: number, kernel: number, steps: { stride: number; padding: number; dilation: number }, ceilMode: boolean): Span[] {
  const { stride, padding, dilation } = steps;
  const reach = (kernel - 1) * dilation + 1;
  const all: Span[] = [];
  for (let start = -padding; ; start += stride) {
    const fits = start + reach <= length + padding;
    // Rounding up adds one window that the last step but one leaves room for, if it begins inside.
    const isLast = ceilMode && !fits && start - stride + reach < length + padding && start < length;
    if (!fits && !isLast) return all;
    const places = Array.from({ length: kernel }, (_, k) => start + k * dilation).filter((i) => i >= 0 && i < length);
    all.push({ places, padded: Math.min(start + reach, length + padding) - start });
    if (isLast) return all;
  }
} // prettier-ignore

/** fn of the values under each window, which is one span of each of the last axes. */
function pooled(x: NdArray, axes: readonly (readonly Span[])[], fn: (values: number[], places: number[], window: Span[]) => number): NdArray {
  const leading = x.shape.slice(0, x.shape.length - axes.length);
  const spatial = x.shape.slice(leading.length);
  return ndArray([...leading, ...axes.map((list) => list.length)], (index) => {
    const window = axes.map((list, axis) => present(list[index[leading.length + axis] ?? 0], "a span"));
    let places = [0];
    window.forEach(({ places: along }, axis) => {
      places = places.flatMap((place) => along.map((i) => place * (spatial[axis] ?? 1) + i));
    });
    const row = index.slice(0, leading.length).reduce((sum, i, axis) => sum * (leading[axis] ?? 1) + i, 0);
    const base = row * spatial.reduce((count, size) => count * size, 1);
    return fn(places.map((place) => x.data[base + place] ?? Number.NaN), places, window);
  });
} // prettier-ignore

const largest = (values: readonly number[]): number => values.reduce((a, b) => Math.max(a, b));
const total = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0);

interface Drawn {
  readonly shape: readonly number[];
  readonly axes: readonly (readonly Span[])[];
  readonly options: Readonly<Record<"kernelSize" | "stride" | "padding" | "dilation", readonly number[]>> & {
    readonly ceilMode: boolean;
  };
  readonly flag: boolean;
  readonly divisor: number | null;
  readonly seed: number;
}

const upTo = (max: number, min = 1): fc.Arbitrary<number> => fc.integer({ min, max });

/** Kernels that fit, over one to three axes of [C, ...] or [B, C, ...]. */
function drawn(dilationMax: number): fc.Arbitrary<Drawn> {
  const axis = fc
    .record({ kernel: upTo(3), stride: upTo(3), dilation: upTo(dilationMax), more: upTo(4, 0), padding: upTo(1, 0) })
    .map((drawnAxis) => {
      const padding = Math.min(drawnAxis.padding, Math.floor(drawnAxis.kernel / 2));
      const reach = (drawnAxis.kernel - 1) * drawnAxis.dilation + 1;
      return { ...drawnAxis, padding, length: Math.max(1, reach - 2 * padding) + drawnAxis.more };
    });
  return (
    fc
      .record({
        list: fc.oneof(
          { weight: 4, arbitrary: fc.array(axis, { minLength: 1, maxLength: 2 }) },
          { weight: 1, arbitrary: fc.array(axis, { minLength: 3, maxLength: 3 }) },
        ),
        leading: fc.constantFrom([2], [1, 2], [2, 1], [0, 2]),
        ceilMode: fc.boolean(),
        flag: fc.boolean(),
        divisor: fc.constantFrom(null, null, 3),
        seed: fc.nat(),
      })
      .map(({ list, leading, ceilMode, flag, divisor, seed }) => ({
        shape: [...leading, ...list.map(({ length }) => length)],
        axes: list.map((item) => spans(item.length, item.kernel, item, ceilMode)),
        options: {
          kernelSize: list.map(({ kernel }) => kernel),
          stride: list.map(({ stride }) => stride),
          padding: list.map(({ padding }) => padding),
          dilation: list.map(({ dilation }) => dilation),
          ceilMode,
        },
        flag,
        divisor,
        seed,
      }))
      // With dilation a window can lie in the padding alone, and has no largest element.
      .filter(({ axes }) => axes.every((list) => list.every(({ places }) => places.length > 0)))
  );
}

const maxPool: OpProperty = {
  name: "maxPool",
  draws: drawn(2).map(({ shape, axes, options, seed }) => ({
    inputs: [distinctFloats(shape, seed)],
    apply: ([x]) => present(MAX[axes.length - 1], "a pool")(x as Tensor, options),
    expected: ([x]) => pooled(x as NdArray, axes, largest),
  })),
};

const maxPoolIndices: OpProperty = {
  name: "the indices of maxPool",
  draws: drawn(2).map(({ shape, axes, options: { kernelSize, ...options }, seed }) => ({
    inputs: [distinctFloats(shape, seed)],
    apply: ([x]) => present(MAX_INDICES[axes.length - 1], "a pool")(x as Tensor, kernelSize, options)[1],
    expected: ([x]) =>
      pooled(x as NdArray, axes, (values, places) => places[values.indexOf(largest(values))] ?? Number.NaN),
  })),
};

const avgPool: OpProperty = {
  name: "avgPool",
  draws: drawn(1).map(({ shape, axes, options: { dilation: _dilation, ...options }, flag, divisor, seed }) => ({
    inputs: [floats(shape, seed)],
    apply: ([x]) =>
      present(AVG[axes.length - 1], "a pool")(x as Tensor, { ...options, countIncludePad: flag, divisorOverride: divisor }), // prettier-ignore
    expected: ([x]) =>
      pooled(x as NdArray, axes, (values, places, window) => {
        const padded = window.reduce((count, span) => count * span.padded, 1);
        return total(values) / (divisor ?? (flag ? padded : places.length));
      }),
  })),
};

/** Parts from floor(i n / m) to ceil((i + 1) n / m). */
function adaptive(name: string, ops: typeof ADAPTIVE_AVG, fn: (values: number[]) => number): OpProperty {
  const axis = fc.record({ length: upTo(7), parts: fc.oneof(upTo(5), fc.constant(null), fc.constant(0)) });
  const lists = fc.oneof(
    { weight: 4, arbitrary: fc.array(axis, { minLength: 1, maxLength: 2 }) },
    { weight: 1, arbitrary: fc.array(axis, { minLength: 3, maxLength: 3 }) },
  );
  return {
    name,
    draws: fc.record({ lists, leading: fc.constantFrom([2], [2, 1], [0, 2]), seed: fc.nat() }).map((draw) => {
      const shape = [...draw.leading, ...draw.lists.map(({ length }) => length)];
      const axes = draw.lists.map(({ length, parts }) =>
        Array.from({ length: parts ?? length }, (_, i): Span => {
          const count = parts ?? length;
          const places: number[] = [];
          for (let j = Math.floor((i * length) / count); j * count < (i + 1) * length; j++) places.push(j);
          return { places, padded: places.length };
        }),
      );
      return {
        inputs: [distinctFloats(shape, draw.seed)],
        apply: ([x]) =>
          present(ops[axes.length - 1], "a pool")(x as Tensor, draw.lists.map(({ parts }) => parts)), // prettier-ignore
        expected: ([x]) => pooled(x as NdArray, axes, fn),
      };
    }),
  };
}

testProperties(
  [
    maxPool,
    maxPoolIndices,
    avgPool,
    adaptive("adaptiveMaxPool", ADAPTIVE_MAX, largest),
    adaptive("adaptiveAvgPool", ADAPTIVE_AVG, (values) => total(values) / values.length),
  ],
  { runs: 30, webGpuRuns: 2 },
);

test("what does not fit is refused with what was expected", () => {
  const x = zeros([1, 2, 4, 4]);
  expect(() => maxPool2d(zeros([4, 4]), 2)).toThrow(
    new ShapeError("maxPool2d: expected [B, C, H, W], with or without B, found [4, 4]"),
  );
  expect(() => maxPool2d(x, 5)).toThrow(
    new ShapeError("maxPool2d: expected axes that hold the kernel [5, 5], found [4, 4]"),
  );
  expect(() => maxPool2d(x, 3, { padding: 2 })).toThrow(
    new OptionError("maxPool2d: expected a padding of at most half of the kernel [3, 3], found [2, 2]"),
  );
  expect(() => avgPool2d(x, 0)).toThrow(OptionError);
  expect(() => avgPool2d(x, [1, 2, 3])).toThrow(OptionError);
  expect(() => avgPool2d(x, 2, { divisorOverride: 0 })).toThrow(OptionError);
  expect(() => adaptiveAvgPool2d(x, [1, 2, 3])).toThrow(OptionError);
  expect(() => adaptiveAvgPool2d(x, -1)).toThrow(OptionError);
  expect(() => adaptiveMaxPool2d(zeros([1, 2, 0, 4]), 1)).toThrow(ShapeError);
});
