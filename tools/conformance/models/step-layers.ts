/** Layers without parameters: pools, resampling, reshaping. */
import { UnsupportedError } from "../../../src/base/errors.ts";
import * as adaptive from "../../../src/compute/tensor/ops/adaptive-pool.ts";
import type { OutputSize } from "../../../src/compute/tensor/ops/adaptive-pool.ts";
import { avgPool1d, avgPool2d, avgPool3d } from "../../../src/compute/tensor/ops/avg-pool.ts";
import { interpolate } from "../../../src/compute/tensor/ops/interpolate.ts";
import type { InterpolateOptions } from "../../../src/compute/tensor/ops/interpolate.ts";
import { localResponseNorm } from "../../../src/compute/tensor/ops/local-response-norm.ts";
import { maxPool1d, maxPool2d, maxPool3d } from "../../../src/compute/tensor/ops/max-pool.ts";
import type { PadMode } from "../../../src/compute/tensor/ops/pad.ts";
import { pixelShuffle, pixelUnshuffle } from "../../../src/compute/tensor/ops/pixel-shuffle.ts";
import type { PerAxis } from "../../../src/compute/tensor/ops/spatial.ts";
import type { Tensor } from "../../../src/compute/tensor/tensor.ts";
import type { Step } from "./build-layer.ts";
import type { LayerText } from "./parse-layers.ts";

type MakeStep = (layer: LayerText) => Step;

const first = ({ sizes }: LayerText): PerAxis | undefined => sizes[0];

/** The member of a family for [B, C, ...] with one, two or three spatial axes. */
function forRank<Fn>(family: readonly [Fn, Fn, Fn], x: Tensor, { text }: LayerText): Fn {
  const fn = family[x.shape.length - 3];
  if (fn === undefined) throw new UnsupportedError(`model: expected [B, C, ...spatial] for "${text}", found ${x.shape.length} axes`); // prettier-ignore
  return fn;
}

function pool(family: readonly [typeof maxPool1d, typeof maxPool1d, typeof maxPool1d]): MakeStep {
  return (layer) => {
    const options = { kernelSize: first(layer) ?? 2, ...layer.options } as Parameters<typeof maxPool1d>[1];
    return (x) => forRank(family, x, layer)(x, options);
  };
}

function adaptivePool(family: readonly [Adaptive, Adaptive, Adaptive], otherwise: OutputSize): MakeStep {
  return (layer) => {
    const size = (layer.options["size"] ?? first(layer) ?? otherwise) as OutputSize;
    return (x) => forRank(family, x, layer)(x, size);
  };
}

type Adaptive = typeof adaptive.adaptiveAvgPool1d;

const AVERAGES = [adaptive.adaptiveAvgPool1d, adaptive.adaptiveAvgPool2d, adaptive.adaptiveAvgPool3d] as const;
const MAXIMA = [adaptive.adaptiveMaxPool1d, adaptive.adaptiveMaxPool2d, adaptive.adaptiveMaxPool3d] as const;
const MAX_POOLS = [maxPool1d, maxPool2d, maxPool3d] as const;
const AVG_POOLS = [avgPool1d, avgPool2d, avgPool3d] as const;

const upsample: MakeStep = (layer) => {
  const { size } = layer.options;
  const scale = size === undefined ? { scaleFactor: first(layer) ?? 2 } : {};
  const options = { ...scale, ...layer.options } as InterpolateOptions;
  return (x) => interpolate(x, options);
};

const dropout: MakeStep = ({ text, sizes, options }) => {
  const rate = options["rate"] ?? options["padding"] ?? sizes[0] ?? 0.5;
  if (rate === 0) return (x) => x;
  throw new UnsupportedError(
    `model: expected a dropout of 0, since PyTorch's random numbers are others, found "${text}"`,
  );
};

const pad =
  (mode: PadMode): MakeStep =>
  (layer) => {
    const given = layer.options["padding"] ?? first(layer) ?? 1;
    return (x) => {
      const sides = typeof given === "number" ? Array.from({ length: 2 * (x.shape.length - 2) }, () => given) : given;
      return x.pad(sides as readonly number[], mode);
    };
  };

const unflatten: MakeStep = ({ sizes }) => {
  return (x) => x.reshape([x.shape[0] ?? 0, ...sizes.flat()]);
};

const number = (layer: LayerText, otherwise: number): number => {
  const given = first(layer);
  return typeof given === "number" ? given : otherwise;
};

const STEPS: ReadonlyMap<string, MakeStep> = new Map<string, MakeStep>([
  ["maxpool", pool(MAX_POOLS)],
  ["avgpool", pool(AVG_POOLS)],
  ["meanpool", pool(AVG_POOLS)],
  ["adaptiveavgpool", adaptivePool(AVERAGES, 1)],
  ["adaptivemaxpool", adaptivePool(MAXIMA, 1)],
  ["globalavgpool", () => (x) => x.mean(x.shape.map((_, axis) => axis).slice(2))],
  ["globalmaxpool", () => (x) => x.max(x.shape.map((_, axis) => axis).slice(2))],
  ["gap", () => (x) => x.mean(x.shape.map((_, axis) => axis).slice(2))],
  ["flatten", (layer) => (x) => x.flatten(number(layer, 1))],
  ["unflatten", unflatten],
  ["view", unflatten],
  ["reshape", unflatten],
  ["upsample", upsample],
  ["interpolate", upsample],
  ["upsamplenearest", upsample],
  ["pixelshuffle", (layer) => (x) => pixelShuffle(x, number(layer, 2))],
  ["pixelunshuffle", (layer) => (x) => pixelUnshuffle(x, number(layer, 2))],
  ["zeropad", pad("constant")],
  ["pad", pad("constant")],
  ["reflectionpad", pad("reflect")],
  ["replicationpad", pad("replicate")],
  ["circularpad", pad("circular")],
  ["localresponsenorm", (layer) => (x) => localResponseNorm(x, number(layer, 5))],
  ["lrn", (layer) => (x) => localResponseNorm(x, number(layer, 5))],
  ["dropout", dropout],
  ["last", () => (x) => x.select(1, -1)],
  ["laststep", () => (x) => x.select(1, -1)],
  ["mean", (layer) => (x) => x.mean(number(layer, 1))],
  ["transpose", () => (x) => x.transpose(1, 2)],
]);

/** The names of all, for messages. */
export const STEP_NAMES: readonly string[] = [...STEPS.keys()];

/** The layer without parameters that is meant; undefined for another. "maxpool2d" is "maxpool". */
export function stepOf(layer: LayerText): Step | undefined {
  return STEPS.get(layer.name.replace(/[123]d$/, ""))?.(layer);
}
