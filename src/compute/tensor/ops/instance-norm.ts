import { OptionError, ShapeError } from "../../../base/errors.ts";
import { elementCount, formatShape } from "../../layout/shape.ts";
import { toFloat } from "../operands.ts";
import type { Operand } from "../operands.ts";
import type { Tensor } from "../tensor.ts";
import { batchNorm, updateRunning } from "./batch-norm.ts";
import { checkVectors, scaleAndShift, standardize } from "./standardize.ts";

/** Options of `instanceNorm`. */
export interface InstanceNormOptions {
  /** Normalise by each example's own mean and variance. On by default; without, by the running ones. */
  readonly useInputStats?: boolean;
  /** How far the running ones move towards the mean of the batch's. */
  readonly momentum?: Operand;
  /** Added to the variance. */
  readonly eps?: number;
}

/**
 * x [B, C, ...spatial]: normalises each channel of each example to mean 0 and variance 1, then scales by `weight` [C]
 * and shifts by `bias` [C], in float32 (Ulyanov et al., 2016). `runningMean` and `runningVar` [C], where given, are
 * assigned. @throws ShapeError, OptionError
 */
export function instanceNorm(
  x: Tensor,
  runningMean?: Tensor | null,
  runningVar?: Tensor | null,
  weight?: Tensor | null,
  bias?: Tensor | null,
  { useInputStats = true, momentum = 0.1, eps = 1e-5 }: InstanceNormOptions = {},
): Tensor {
  const [, channels = 0, ...spatial] = x.shape;
  if (x.shape.length < 3)
    throw new ShapeError(`instanceNorm: expected [B, C, ...spatial], found ${formatShape(x.shape)}`);
  if (!useInputStats) {
    if (!runningMean || !runningVar) {
      throw new OptionError("instanceNorm: expected a running mean and variance without useInputStats, found none");
    }
    return batchNorm(x, runningMean, runningVar, weight, bias, { eps });
  }
  checkVectors("instanceNorm", [channels], {
    "running mean": runningMean,
    "running variance": runningVar,
    weight,
    bias,
  });
  if (elementCount(spatial) === 1) {
    throw new ShapeError(`instanceNorm: expected more than one value per channel, found ${formatShape(x.shape)}`);
  }
  const wide = x.cast("float32");
  const axes = spatial.map((_, axis) => 2 + axis);
  if (x.size > 0) updateRunning(wide, axes, runningMean ?? null, runningVar ?? null, momentum);
  return scaleAndShift(standardize(wide, axes, eps), weight, bias, [channels, ...spatial.map(() => 1)], toFloat(x));
}
