/** Resampling, padding and shuffling of pixels, against the formula of each element of the result. */
import fc from "fast-check";
import { expect, test } from "vitest";
import { OptionError, ShapeError, UnsupportedError } from "../../../../src/base/errors.ts";
import { zeros } from "../../../../src/compute/tensor/create.ts";
import { interpolate, upsampleNearest2d } from "../../../../src/compute/tensor/ops/interpolate.ts";
import type { InterpolateMode } from "../../../../src/compute/tensor/ops/interpolate.ts";
import type { PadMode } from "../../../../src/compute/tensor/ops/pad.ts";
import { pixelShuffle, pixelUnshuffle } from "../../../../src/compute/tensor/ops/pixel-shuffle.ts";
import type { Tensor } from "../../../../src/compute/tensor/tensor.ts";
import { floats, shapes, size } from "./draws.ts";
import { at, type NdArray, ndArray } from "./nd-array.ts";
import { type OpProperty, testProperties } from "./op-property.ts";

/** Elements of an axis with their weights: what one element of the result is made of. */
type Taps = readonly (readonly [index: number, weight: number])[];

/** The sum over all combinations of the taps of each spatial axis. */
function combined(x: NdArray, sizes: readonly number[], taps: (axis: number, i: number) => Taps): NdArray {
  const rank = sizes.length;
  return ndArray([...x.shape.slice(0, -rank), ...sizes], (index) => {
    const leading = index.slice(0, -rank);
    let points: (readonly [number[], number])[] = [[[...leading], 1]];
    index.slice(-rank).forEach((i, axis) => {
      points = points.flatMap(([place, share]) => taps(axis, i).map(([j, weight]) => [[...place, j], share * weight] as const)); // prettier-ignore
    });
    return points.reduce((sum, [place, share]) => sum + share * at(x, place), 0);
  });
}

const clamped = (i: number, length: number): number => Math.min(Math.max(i, 0), length - 1);

/** Keys' cubic with a = -3/4. */
function cubic(distance: number): number {
  const [a, d] = [-0.75, Math.abs(distance)];
  if (d <= 1) return (a + 2) * d ** 3 - (a + 3) * d ** 2 + 1;
  return d < 2 ? a * d ** 3 - 5 * a * d ** 2 + 8 * a * d - 4 * a : 0;
}

function tapsOf(mode: InterpolateMode, from: number, to: number, step: number, align: boolean, i: number): Taps {
  const place = align ? (to > 1 ? (i * (from - 1)) / (to - 1) : 0) : (i + 0.5) * step - 0.5;
  switch (mode) {
    case "nearest":
      return [[Math.min(Math.floor(i * Math.fround(step)), from - 1), 1]];
    case "nearest-exact":
      return [[Math.min(Math.floor((i + 0.5) * Math.fround(step)), from - 1), 1]];
    case "area": {
      const [start, end] = [Math.floor((i * from) / to), Math.ceil(((i + 1) * from) / to)];
      return Array.from({ length: end - start }, (_, k) => [start + k, 1 / (end - start)] as const);
    }
    case "bicubic": {
      const first = Math.floor(place) - 1;
      return [0, 1, 2, 3].map((k) => [clamped(first + k, from), cubic(place - first - k)] as const);
    }
    default: {
      const inside = Math.min(Math.max(place, 0), from - 1);
      const first = Math.floor(inside);
      return [[first, 1 - inside + first], [Math.min(first + 1, from - 1), inside - first]]; // prettier-ignore
    }
  }
}

const MODES: readonly InterpolateMode[] = ["nearest", "nearest-exact", "linear", "bilinear", "trilinear", "bicubic", "area"]; // prettier-ignore
const RANKS: Partial<Record<InterpolateMode, number>> = { linear: 1, bilinear: 2, trilinear: 3, bicubic: 2 };

/** By size and by factor; factors are no ratios whose products with an index fall on whole numbers by rounding only. */
const resampled: OpProperty[] = MODES.map((mode) => ({
  name: `interpolate, ${mode}`,
  draws: fc
    .integer({ min: 1, max: 2 })
    .chain((free) => {
      const rank = RANKS[mode] ?? free;
      const axis = fc.record({
        from: fc.integer({ min: 1, max: 5 }),
        to: fc.integer({ min: 1, max: 7 }),
        factor: fc.constantFrom(0.75, 1, 1.5, 2, 2.5, 3),
      });
      return fc.record({
        axes: fc.array(axis, { minLength: rank, maxLength: rank }),
        leading: fc.tuple(fc.constantFrom(0, 1, 2), fc.integer({ min: 1, max: 2 })),
        bySize: fc.boolean(),
        alignCorners: fc.boolean(),
        recomputeScaleFactor: fc.boolean(),
        seed: fc.nat(),
      });
    })
    .filter(({ axes, bySize }) => bySize || axes.every(({ from, factor }) => from * factor >= 1))
    .map(({ axes, leading, bySize, alignCorners, recomputeScaleFactor, seed }) => {
      const canAlign = RANKS[mode] !== undefined;
      const align = canAlign && alignCorners;
      const sizes = axes.map(({ from, to, factor }) => (bySize ? to : Math.floor(from * factor)));
      const steps = axes.map(({ from, factor }, i) =>
        bySize || recomputeScaleFactor || mode === "area" ? from / (sizes[i] ?? 1) : 1 / factor,
      );
      const scale = bySize ? { size: sizes } : { scaleFactor: axes.map(({ factor }) => factor), recomputeScaleFactor };
      return {
        inputs: [floats([...leading, ...axes.map(({ from }) => from)], seed)],
        apply: ([x]) => interpolate(x as Tensor, { ...scale, mode, ...(canAlign ? { alignCorners } : {}) }),
        expected: ([x]) =>
          combined(x as NdArray, sizes, (i, o) => tapsOf(mode, axes[i]?.from ?? 1, sizes[i] ?? 1, steps[i] ?? 1, align, o)), // prettier-ignore
      };
    }),
}));

/** The place in an axis of `length` that an extended axis shows at `i`, counted from the axis' start. */
const SOURCES: Readonly<Record<Exclude<PadMode, "constant">, (i: number, length: number) => number>> = {
  reflect: (i, length) => (i < 0 ? -i : i >= length ? 2 * (length - 1) - i : i),
  replicate: clamped,
  circular: (i, length) => (i + length) % length,
};

/** How many elements a mode can add at each end. */
const most = (mode: PadMode, length: number): number =>
  mode === "constant" || mode === "replicate" ? 3 : mode === "circular" ? length : length - 1;

const padded: OpProperty[] = (["constant", "reflect", "replicate", "circular"] as const).map((mode) => ({
  name: `pad, ${mode}`,
  draws: fc
    .record({
      shape: mode === "constant" ? shapes(0, 3) : fc.array(fc.integer({ min: 1, max: 4 }), { minLength: 1, maxLength: 3 }),
      ends: fc.array(fc.tuple(fc.integer({ min: -1, max: 3 }), fc.integer({ min: -1, max: 3 })), { minLength: 3, maxLength: 3 }),
      axes: fc.integer({ min: 0, max: 3 }),
      seed: fc.nat(),
    })
    .map(({ shape, ends, axes, seed }) => {
      const count = Math.min(axes, shape.length);
      const sides = shape.map((length, axis) => {
        const [low, high] = axis < shape.length - count ? [0, 0] : (ends[axis] ?? [0, 0]);
        // An axis of one keeps it; what is taken off is never all.
        const least = length < 3 ? 0 : -1;
        return [low, high].map((n) => Math.min(Math.max(n, least), most(mode, length)));
      });
      const padding = sides.slice(shape.length - count).reverse().flat();
      return {
        inputs: [floats(shape, seed)],
        apply: ([x]) => (mode === "constant" ? (x as Tensor).pad(padding, 0.5) : (x as Tensor).pad(padding, mode)),
        expected: ([x]) =>
          ndArray(shape.map((length, axis) => length + (sides[axis]?.[0] ?? 0) + (sides[axis]?.[1] ?? 0)), (index) => {
            const own = index.map((i, axis) => i - (sides[axis]?.[0] ?? 0));
            if (mode !== "constant") return at(x as NdArray, own.map((i, axis) => SOURCES[mode](i, shape[axis] ?? 1)));
            return own.some((i, axis) => i < 0 || i >= (shape[axis] ?? 1)) ? 0.5 : at(x as NdArray, own);
          }),
      };
    }),
})); // prettier-ignore

const shuffleDraws = fc.record({
  leading: shapes(0, 2),
  channels: size,
  factor: fc.integer({ min: 1, max: 3 }),
  height: size,
  width: size,
  seed: fc.nat(),
});

const shuffled: OpProperty = {
  name: "pixelShuffle",
  draws: shuffleDraws.map(({ leading, channels, factor: r, height, width, seed }) => ({
    inputs: [floats([...leading, channels * r * r, height, width], seed)],
    apply: ([x]) => pixelShuffle(x as Tensor, r),
    expected: ([x]) =>
      ndArray([...leading, channels, height * r, width * r], (index) => {
        const [c = 0, h = 0, w = 0] = index.slice(-3);
        const channel = c * r * r + (h % r) * r + (w % r);
        return at(x as NdArray, [...index.slice(0, -3), channel, Math.floor(h / r), Math.floor(w / r)]);
      }),
  })),
};

const unshuffled: OpProperty = {
  name: "pixelUnshuffle",
  draws: shuffleDraws.map(({ leading, channels, factor: r, height, width, seed }) => ({
    inputs: [floats([...leading, channels, height * r, width * r], seed)],
    apply: ([x]) => pixelUnshuffle(x as Tensor, r),
    expected: ([x]) =>
      ndArray([...leading, channels * r * r, height, width], (index) => {
        const [c = 0, h = 0, w = 0] = index.slice(-3);
        const [down, across] = [Math.floor(c / r) % r, c % r];
        return at(x as NdArray, [...index.slice(0, -3), Math.floor(c / (r * r)), h * r + down, w * r + across]);
      }),
  })),
};

testProperties([...resampled, ...padded, shuffled, unshuffled], { runs: 20, webGpuRuns: 1 });

test("what does not fit is refused with what was expected", () => {
  const x = zeros([1, 2, 4, 4]);
  expect(() => interpolate(x, {})).toThrow(
    new OptionError("interpolate: expected either size or scaleFactor, found neither"),
  );
  expect(() => interpolate(x, { size: 2, scaleFactor: 2 })).toThrow(OptionError);
  expect(() => interpolate(x, { scaleFactor: 2, mode: "linear" })).toThrow(
    new ShapeError("interpolate: expected [B, C, ...] with 1 spatial axes for mode linear, found [1, 2, 4, 4]"),
  );
  expect(() => interpolate(x, { scaleFactor: 2, mode: "lanczos" as "nearest" })).toThrow(UnsupportedError);
  expect(() => interpolate(x, { scaleFactor: 2, alignCorners: true })).toThrow(OptionError);
  expect(() => interpolate(x, { scaleFactor: 0.1 })).toThrow(ShapeError);
  expect(() => interpolate(x, { size: [1, 2, 3] })).toThrow(OptionError);
  expect(() => upsampleNearest2d(zeros([2, 4, 4]), { scaleFactor: 2 })).toThrow(ShapeError);
  expect(() => x.pad([1])).toThrow(OptionError);
  expect(() => x.pad([1, 0.5])).toThrow(OptionError);
  expect(() => x.pad([4, 0], "reflect")).toThrow(
    new ShapeError("pad: expected at most 3 elements for mode reflect at axis 3 of [1, 2, 4, 4], found 4 and 0"),
  );
  expect(() => x.pad([-3, -2])).toThrow(ShapeError);
  expect(() => x.pad([1, 1], "mirror" as "reflect")).toThrow(OptionError);
  expect(() => pixelShuffle(x, 2)).toThrow(
    new ShapeError("pixelShuffle: expected [.., C * 4, H, W], found [1, 2, 4, 4]"),
  );
  expect(() => pixelUnshuffle(x, 3)).toThrow(ShapeError);
  expect(() => pixelShuffle(x, 0)).toThrow(OptionError);
});
