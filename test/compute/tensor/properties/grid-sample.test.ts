/** Sampling at the points of a grid, against the formula of each point. */
import fc from "fast-check";
import { expect, test } from "vitest";
import { Random } from "../../../../src/base/random.ts";
import { OptionError, ShapeError, UnsupportedError } from "../../../../src/base/errors.ts";
import { zeros } from "../../../../src/compute/tensor/create.ts";
import { affineGrid } from "../../../../src/compute/tensor/ops/affine-grid.ts";
import { gridSample } from "../../../../src/compute/tensor/ops/grid-sample.ts";
import type { GridSampleOptions } from "../../../../src/compute/tensor/ops/grid-sample.ts";
import type { Tensor } from "../../../../src/compute/tensor/tensor.ts";
import { floats } from "./draws.ts";
import { at, type NdArray, ndArray } from "./nd-array.ts";
import { type OpProperty, testProperties } from "./op-property.ts";

type Options = Required<GridSampleOptions>;

const cubic = (distance: number): number => {
  const d = Math.abs(distance);
  if (d <= 1) return 1.25 * d ** 3 - 2.25 * d ** 2 + 1;
  return d < 2 ? -0.75 * (d ** 3 - 5 * d ** 2 + 8 * d - 4) : 0;
};

/** A place mirrored at both ends until it is inside. */
function mirrored(place: number, low: number, high: number): number {
  if (high === low) return low;
  let inside = place;
  while (inside < low || inside > high) inside = inside < low ? 2 * low - inside : 2 * high - inside;
  return inside;
}

function kept(place: number, size: number, { paddingMode, alignCorners }: Options): number {
  if (paddingMode === "zeros") return place;
  const [low, high] = alignCorners ? [0, size - 1] : [-0.5, size - 0.5];
  const inside = paddingMode === "reflection" ? mirrored(place, low, high) : place;
  return Math.min(Math.max(inside, 0), size - 1);
}

/** Elements of an axis with their weights at the grid's number `g`. */
function taps(g: number, size: number, options: Options): (readonly [number, number])[] {
  const raw = options.alignCorners ? ((g + 1) / 2) * (size - 1) : ((g + 1) * size - 1) / 2;
  if (options.mode === "bicubic") {
    const first = Math.floor(raw);
    return [-1, 0, 1, 2].map((k) => [kept(first + k, size, options), cubic(raw - first - k)] as const);
  }
  const place = kept(raw, size, options);
  if (options.mode === "nearest") return [[Math.round(place), 1]];
  const first = Math.floor(place);
  return [[first, 1 - place + first], [first + 1, place - first]]; // prettier-ignore
}

/** Numbers of a grid for places that are not near where the slope jumps. */
function gridNumber(random: Random, size: number, alignCorners: boolean): number {
  const fraction = random.uniform() * 0.25 + (random.uniform() < 0.5 ? 0.15 : 0.6);
  const place = random.below(size + 4) - 2 + fraction;
  if (alignCorners) return size === 1 ? fraction : (2 * place) / (size - 1) - 1;
  return (2 * place + 1) / size - 1;
}

function property(mode: Options["mode"], ranks: readonly number[]): OpProperty {
  return {
    name: `gridSample, ${mode}`,
    draws: fc
      .record({
        rank: fc.constantFrom(...ranks),
        batch: fc.constantFrom(0, 1, 2),
        channels: fc.integer({ min: 1, max: 2 }),
        sizes: fc.array(fc.integer({ min: 1, max: 4 }), { minLength: 3, maxLength: 3 }),
        output: fc.array(fc.integer({ min: 1, max: 3 }), { minLength: 3, maxLength: 3 }),
        paddingMode: fc.constantFrom("zeros", "border", "reflection"),
        alignCorners: fc.boolean(),
        seed: fc.nat(),
      })
      .map((draw) => {
        const { rank, batch, channels, paddingMode, alignCorners, seed } = draw;
        const sizes = draw.sizes.slice(0, rank);
        const options: Options = { mode, paddingMode, alignCorners };
        const gridShape = [batch, ...draw.output.slice(0, rank), rank];
        const random = new Random(seed, "grid");
        const data = Array.from({ length: gridShape.reduce((a, b) => a * b, 1) }, (_, i) =>
          gridNumber(random, sizes[rank - 1 - (i % rank)] ?? 1, alignCorners),
        );
        return {
          inputs: [floats([batch, channels, ...sizes], seed), { shape: gridShape, data }],
          apply: ([x, grid]) => gridSample(x as Tensor, grid as Tensor, options),
          expected: ([x, grid]) =>
            ndArray([batch, channels, ...gridShape.slice(1, -1)], ([b = 0, c = 0, ...o]) => {
              let points: (readonly [number[], number])[] = [[[b, c], 1]];
              sizes.forEach((size, axis) => {
                const along = taps(at(grid as NdArray, [b, ...o, rank - 1 - axis]), size, options);
                points = points.flatMap(([place, share]) => along.map(([i, w]) => [[...place, i], share * w] as const));
              });
              return points.reduce((sum, [place, share]) => {
                const value = at(x as NdArray, place);
                return Number.isNaN(value) ? sum : sum + share * value;
              }, 0);
            }),
        };
      }),
  };
}

const affine: OpProperty = {
  name: "affineGrid",
  draws: fc
    .record({
      rank: fc.constantFrom(2, 3),
      batch: fc.constantFrom(0, 1, 2),
      sizes: fc.array(fc.integer({ min: 1, max: 4 }), { minLength: 3, maxLength: 3 }),
      alignCorners: fc.boolean(),
      seed: fc.nat(),
    })
    .map(({ rank, batch, sizes, alignCorners, seed }) => {
      const spatial = sizes.slice(0, rank);
      const place = (i: number, size: number): number => {
        if (!alignCorners) return (2 * i + 1) / size - 1;
        return size === 1 ? 0 : (2 * i) / (size - 1) - 1;
      };
      return {
        inputs: [floats([batch, rank, rank + 1], seed)],
        apply: ([theta]) => affineGrid(theta as Tensor, [batch, 3, ...spatial], { alignCorners }),
        expected: ([theta]) =>
          ndArray([batch, ...spatial, rank], (index) => {
            const [b = 0, ...rest] = index;
            const row = rest.pop() ?? 0;
            const point = [...rest.map((i, axis) => place(i, spatial[axis] ?? 1)).reverse(), 1];
            return point.reduce((sum, p, column) => sum + at(theta as NdArray, [b, row, column]) * p, 0);
          }),
      };
    }),
};

testProperties([property("bilinear", [2, 2, 3]), property("nearest", [2, 3]), property("bicubic", [2]), affine], {
  runs: 25,
  webGpuRuns: 1,
});

test("what does not fit is refused with what was expected", () => {
  const x = zeros([1, 2, 4, 4]);
  const grid = zeros([1, 3, 3, 2]);
  expect(() => gridSample(x, zeros([2, 3, 3, 2]))).toThrow(ShapeError);
  expect(() => gridSample(x, zeros([1, 3, 3, 3]))).toThrow(ShapeError);
  expect(() => gridSample(x, grid, { mode: "linear" as "nearest" })).toThrow(
    new UnsupportedError('gridSample: expected the mode bilinear, nearest or bicubic, found "linear"'),
  );
  expect(() => gridSample(x, grid, { paddingMode: "wrap" as "zeros" })).toThrow(UnsupportedError);
  expect(() => gridSample(zeros([1, 2, 4, 4, 4]), zeros([1, 3, 3, 3, 3]), { mode: "bicubic" })).toThrow(OptionError);
  expect(() => affineGrid(zeros([1, 2, 2]), [1, 1, 2, 2])).toThrow(ShapeError);
});
