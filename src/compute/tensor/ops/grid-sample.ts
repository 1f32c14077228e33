import { OptionError, ShapeError, UnsupportedError } from "../../../base/errors.ts";
import { elementCount, formatShape } from "../../layout/shape.ts";
import { toFloat } from "../operands.ts";
import { sizeOf } from "../shapes.ts";
import type { Tensor } from "../tensor.ts";
import { gather } from "./gather.ts";
import { cubicWeights } from "./resample-axis.ts";

/** Options of `gridSample`. */
export interface GridSampleOptions {
  /** Between the nearest elements linearly ("bilinear", also in 3-d), by cubics (2-d only), or the nearest one. */
  readonly mode?: "bilinear" | "nearest" | "bicubic";
  /** What lies outside: 0, the element at the border, or the elements mirrored at the border. */
  readonly paddingMode?: "zeros" | "border" | "reflection";
  /** -1 and 1 are the middles of the corner elements; else their outer edges. Off by default. */
  readonly alignCorners?: boolean;
}

/** Places along one axis with the share that each has in the result: int32 and float [B, 1, points]. */
type Taps = readonly (readonly [place: Tensor, weight: Tensor])[];

/**
 * `x` [B, C, H, W] at the points of `grid` [B, OH, OW, 2], each (x, y) from -1 to 1 -> [B, C, OH, OW]; also for
 * [B, C, D, H, W] with [B, OD, OH, OW, 3], each (x, y, z). Gradients flow to both (Jaderberg et al., 2015).
 * @throws ShapeError, OptionError, UnsupportedError
 */
export function gridSample(x: Tensor, grid: Tensor, options: GridSampleOptions = {}): Tensor {
  const { mode = "bilinear", paddingMode = "zeros" } = options;
  const rank = x.shape.length - 2;
  const [batch = 0, channels = 0, ...sizes] = x.shape;
  if ((rank !== 2 && rank !== 3) || grid.shape.length !== rank + 2 || grid.shape.at(-1) !== rank || grid.shape[0] !== batch || sizes.includes(0)) {
    throw new ShapeError(`gridSample: expected [B, C, H, W] and [B, OH, OW, 2], or with another axis and 3, found ${formatShape(x.shape)} and ${formatShape(grid.shape)}`);
  } // prettier-ignore
  checkModes(mode, paddingMode, rank);
  const output = grid.shape.slice(1, -1);
  const points = elementCount(output);
  const values = toFloat(x).reshape([batch, channels, elementCount(sizes)]);
  // The grid names the last axis first.
  const taps = sizes.map((size, axis) => {
    const along = toFloat(grid).select(-1, rank - 1 - axis).reshape([batch, 1, points]); // prettier-ignore
    return tapsAlong(along, size, { mode, paddingMode, alignCorners: options.alignCorners === true });
  });
  return sampled(values, sizes, taps).reshape([batch, channels, ...output]);
}

function checkModes(mode: string, paddingMode: string, rank: number): void {
  if (!["bilinear", "nearest", "bicubic"].includes(mode)) {
    throw new UnsupportedError(`gridSample: expected the mode bilinear, nearest or bicubic, found "${mode}"`);
  }
  if (!["zeros", "border", "reflection"].includes(paddingMode)) {
    throw new UnsupportedError(`gridSample: expected the paddingMode zeros, border or reflection, found "${paddingMode}"`); // prettier-ignore
  }
  if (mode === "bicubic" && rank !== 2)
    throw new OptionError(`gridSample: expected bicubic with 2 axes, found ${rank}`);
}

/** The sum over all combinations of taps: weights times elements of `values` [B, C, all], 0 outside. */
function sampled(values: Tensor, sizes: readonly number[], taps: readonly Taps[]): Tensor {
  let combined: Taps = [];
  taps.forEach((list, axis) => {
    const size = sizeOf(sizes, axis);
    const inside = list.map(([place, weight]): [Tensor, Tensor] => {
      const isInside = place.ge(0).logicalAnd(place.lt(size));
      return [place.clamp({ min: 0, max: size - 1 }), isInside.where(weight, 0)];
    });
    combined = axis === 0 ? inside : combined.flatMap(([place, weight]) =>
      inside.map(([next, share]): [Tensor, Tensor] => [place.mul(size).add(next), weight.mul(share)]),
    ); // prettier-ignore
  });
  const [batch = 0, channels = 0] = values.shape;
  const terms = combined.map(([place, weight]) => {
    const indices = place.expand([batch, channels, sizeOf(place.shape, 2)]);
    return gather(values, 2, indices).mul(weight);
  });
  return terms.reduce((sum, term) => sum.add(term));
}

type Settings = Required<GridSampleOptions>;

function tapsAlong(points: Tensor, size: number, settings: Settings): Taps {
  const { mode, paddingMode, alignCorners } = settings;
  const raw = alignCorners ? points.add(1).mul((size - 1) / 2) : points.add(1).mul(size).sub(1).mul(0.5); // prettier-ignore
  if (mode === "bicubic") {
    const first = raw.detach().floor();
    return cubicWeights(raw.sub(first)).map((weight, k) => {
      const place = kept(first.add(k - 1), size, paddingMode, alignCorners);
      return [asIndex(place, size), weight];
    });
  }
  const place = kept(raw, size, paddingMode, alignCorners);
  if (mode === "nearest") {
    const nearest = place.detach().round();
    return [[asIndex(nearest, size), nearest.mul(0).add(1)]];
  }
  const first = place.detach().floor();
  const share = place.sub(first);
  return [[asIndex(first, size), share.neg().add(1)], [asIndex(first.add(1), size), share]]; // prettier-ignore
}

/** Whole float places as int32, those far outside next to the axis. */
function asIndex(place: Tensor, size: number): Tensor {
  return place.clamp({ min: -1, max: size }).cast("int32");
}

/** Places brought inside where the padding is not of zeros. */
function kept(place: Tensor, size: number, paddingMode: string, alignCorners: boolean): Tensor {
  if (paddingMode === "zeros") return place;
  const inside = paddingMode === "border" ? place : reflected(place, alignCorners ? 0 : -0.5, alignCorners ? size - 1 : size);
  return inside.clamp({ min: 0, max: size - 1 });
} // prettier-ignore

/** Places mirrored at `low` and at `low` + `span`, as often as it takes. */
function reflected(place: Tensor, low: number, span: number): Tensor {
  if (span === 0) return place.mul(0);
  const distance = place.sub(low).abs();
  const turns = distance.detach().div(span).floor();
  const extra = distance.sub(turns.mul(span));
  const isEven = turns.sub(turns.mul(0.5).floor().mul(2)).lt(0.5); // prettier-ignore
  return isEven.where(extra, extra.neg().add(span)).add(low);
}
