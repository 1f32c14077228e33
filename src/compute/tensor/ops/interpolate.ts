import { OptionError, ShapeError, UnsupportedError } from "../../../base/errors.ts";
import { formatShape } from "../../layout/shape.ts";
import { toFloat } from "../operands.ts";
import { sizeOf } from "../shapes.ts";
import type { Tensor } from "../tensor.ts";
import { adaptiveAvgPool1d, adaptiveAvgPool2d, adaptiveAvgPool3d } from "./adaptive-pool.ts";
import { cubicAlong, linearAlong, nearestAlong } from "./resample-axis.ts";
import type { AxisScale } from "./resample-axis.ts";
import { perAxis } from "./spatial.ts";
import type { PerAxis } from "./spatial.ts";

/** What lies between elements: the nearest one, lines along one to three axes, cubics along two, or means of parts. */
export type InterpolateMode = "nearest" | "nearest-exact" | "linear" | "bilinear" | "trilinear" | "bicubic" | "area";

/** Options of `interpolate`. */
export interface InterpolateOptions {
  /** The result's spatial size: this or `scaleFactor`. */
  readonly size?: PerAxis | null | undefined;
  /** Output for input, along all spatial axes or each; sizes are rounded down. */
  readonly scaleFactor?: PerAxis | null | undefined;
  readonly mode?: InterpolateMode;
  /** For the linear and cubic modes: the corner elements keep their values. Off by default. */
  readonly alignCorners?: boolean | null | undefined;
  /** Steps from the sizes, and not from `scaleFactor`. Off by default. */
  readonly recomputeScaleFactor?: boolean | null | undefined;
}

/** How many spatial axes a mode is for; null for any number. */
const RANKS: Readonly<Record<InterpolateMode, number | null>> = {
  nearest: null,
  "nearest-exact": null,
  area: null,
  linear: 1,
  bilinear: 2,
  trilinear: 3,
  bicubic: 2,
};

/**
 * x [B, C, ...spatial] resampled to another spatial size, one axis after another.
 *
 * Element o of an axis is taken at o * step (nearest), or at (o + 1/2) * step - 1/2 (the others), step being input for
 * output; with `alignCorners` at o * (n - 1) / (m - 1). @throws ShapeError, OptionError, UnsupportedError
 */
export function interpolate(x: Tensor, options: InterpolateOptions): Tensor {
  const { mode = "nearest", alignCorners } = options;
  const rank = x.shape.length - 2;
  checkMode(x, mode, rank, alignCorners ?? null);
  const scales = scalesOf(x, options);
  if (mode === "area") return areaOf(x, scales.map(({ outputSize }) => outputSize)); // prettier-ignore
  const isNearest = mode === "nearest" || mode === "nearest-exact";
  const values = isNearest ? x : toFloat(x);
  return scales.reduceRight((out, scale, i) => {
    const axis = 2 + i;
    if (isNearest) return nearestAlong(out, axis, scale, mode === "nearest-exact");
    if (scale.size === scale.outputSize && scale.step === 1) return out;
    return mode === "bicubic" ? cubicAlong(out, axis, scale) : linearAlong(out, axis, scale);
  }, values);
}

/** `interpolate` with mode "nearest" of x [B, C, H, W]. @throws ShapeError, OptionError */
export function upsampleNearest2d(x: Tensor, options: Pick<InterpolateOptions, "size" | "scaleFactor">): Tensor {
  if (x.shape.length !== 4) {
    throw new ShapeError(`upsampleNearest2d: expected [B, C, H, W], found ${formatShape(x.shape)}`);
  }
  return interpolate(x, { ...options, mode: "nearest" });
}

function checkMode(x: Tensor, mode: InterpolateMode, rank: number, alignCorners: boolean | null): void {
  const wanted: number | null | undefined = RANKS[mode];
  if (wanted === undefined) {
    const known = Object.keys(RANKS).join(", ");
    throw new UnsupportedError(`interpolate: expected one of the modes ${known}, found "${String(mode)}"`);
  }
  if (rank < 1 || rank > 3 || (wanted !== null && rank !== wanted)) {
    const axes = wanted === null ? "1 to 3 spatial axes" : `${wanted} spatial axes`;
    throw new ShapeError(
      `interpolate: expected [B, C, ...] with ${axes} for mode ${mode}, found ${formatShape(x.shape)}`,
    );
  }
  if (wanted === null && alignCorners !== null) {
    throw new OptionError(`interpolate: expected alignCorners with a linear or cubic mode, found it with ${mode}`);
  }
  if (x.shape.slice(2).includes(0)) {
    throw new ShapeError(`interpolate: expected elements along every axis, found ${formatShape(x.shape)}`);
  }
}

function scalesOf(x: Tensor, options: InterpolateOptions): AxisScale[] {
  const { size = null, scaleFactor = null, alignCorners, recomputeScaleFactor } = options;
  const rank = x.shape.length - 2;
  if ((size === null) === (scaleFactor === null)) {
    throw new OptionError(
      `interpolate: expected either size or scaleFactor, found ${size === null ? "neither" : "both"}`,
    );
  }
  const sizes = size === null ? null : perAxis("interpolate", "size", size, rank, 1);
  const factors = scaleFactor === null ? null : factorsOf(scaleFactor, rank);
  return Array.from({ length: rank }, (_, axis): AxisScale => {
    const from = sizeOf(x.shape, 2 + axis);
    const factor = factors?.[axis];
    const outputSize = sizes?.[axis] ?? Math.floor(from * (factor ?? 1));
    if (outputSize < 1) {
      throw new ShapeError(`interpolate: expected a factor that leaves elements of ${from}, found ${factor}`);
    }
    const step = factor === undefined || recomputeScaleFactor === true ? from / outputSize : 1 / factor;
    return { size: from, outputSize, step, alignCorners: alignCorners === true };
  });
}

function factorsOf(scaleFactor: PerAxis, rank: number): number[] {
  const given = typeof scaleFactor === "number" ? [scaleFactor] : scaleFactor;
  const factors = given.length === 1 ? Array.from({ length: rank }, () => given[0] ?? Number.NaN) : [...given];
  if (factors.length !== rank || !factors.every((factor) => factor > 0 && Number.isFinite(factor))) {
    throw new OptionError(
      `interpolate: expected scaleFactor to be one or ${rank} numbers above 0, found ${formatShape(given)}`,
    );
  }
  return factors;
}

function areaOf(x: Tensor, sizes: readonly number[]): Tensor {
  if (sizes.length === 1) return adaptiveAvgPool1d(x, sizes);
  return sizes.length === 2 ? adaptiveAvgPool2d(x, sizes) : adaptiveAvgPool3d(x, sizes);
}
