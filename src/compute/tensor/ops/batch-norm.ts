import { OptionError, ShapeError } from "../../../base/errors.ts";
import { elementCount, formatShape } from "../../layout/shape.ts";
import { noGrad } from "../grad-mode.ts";
import { toFloat } from "../operands.ts";
import type { Operand } from "../operands.ts";
import type { Tensor } from "../tensor.ts";
import { checkVectors, scaleAndShift, standardize } from "./standardize.ts";

/** Options of `batchNorm`. */
export interface BatchNormOptions {
  /** Normalise by the batch's own mean and variance, and move the running ones towards them. Off by default. */
  readonly training?: boolean;
  /** How far the running ones move: (1 - momentum) * running + momentum * batch's. */
  readonly momentum?: Operand;
  /** Added to the variance. */
  readonly eps?: number;
}

/**
 * x [B, C, ...]: normalises each channel over all other axes, then scales by `weight` [C] and shifts by `bias` [C]:
 * y = (x - mean) / sqrt(variance + eps) * w + b, in float32 (Ioffe and Szegedy, 2015).
 *
 * While training, `runningMean` [C] and `runningVar` [C] (of the unbiased variance) are assigned; without them, or
 * while training, the batch's statistics count. @throws ShapeError, OptionError
 */
export function batchNorm(
  x: Tensor,
  runningMean: Tensor | null,
  runningVar: Tensor | null,
  weight?: Tensor | null,
  bias?: Tensor | null,
  { training = false, momentum = 0.1, eps = 1e-5 }: BatchNormOptions = {},
): Tensor {
  const [, channels = 0, ...spatial] = x.shape;
  if (x.shape.length < 2) throw new ShapeError(`batchNorm: expected [B, C, ...], found ${formatShape(x.shape)}`);
  checkVectors("batchNorm", [channels], { "running mean": runningMean, "running variance": runningVar, weight, bias });
  const wide = x.cast("float32");
  const along = [channels, ...spatial.map(() => 1)];
  if (!training) {
    if (runningMean === null || runningVar === null) {
      throw new OptionError("batchNorm: expected a running mean and variance, or training, found neither");
    }
    const inverse = runningVar.add(eps).rsqrt().reshape(along);
    return scaleAndShift(wide.sub(runningMean.reshape(along)).mul(inverse), weight, bias, along, toFloat(x));
  }
  const axes = x.shape.flatMap((_, axis) => (axis === 1 ? [] : [axis]));
  const count = elementCount(axes.map((axis) => x.shape[axis] ?? 0));
  if (count === 1) {
    throw new ShapeError(
      `batchNorm: expected more than one value per channel to train on, found ${formatShape(x.shape)}`,
    );
  }
  if (x.size > 0) updateRunning(wide, axes, runningMean, runningVar, momentum);
  return scaleAndShift(standardize(wide, axes, eps), weight, bias, along, toFloat(x));
}

/** Moves the running statistics [C] towards those of `x` [B, C, ...] over `axes`; where they leave B, its mean counts. */
export function updateRunning(
  x: Tensor,
  axes: readonly number[],
  runningMean: Tensor | null,
  runningVar: Tensor | null,
  momentum: Operand,
): void {
  noGrad(() => {
    const values = x.detach();
    const move = (running: Tensor | null, statistics: Tensor): void => {
      if (running === null) return;
      const found = axes.includes(0) ? statistics : statistics.mean(0);
      running.assign(running.add(found.cast(running.dtype).sub(running).mul(momentum)).cast(running.dtype));
    };
    move(runningMean, values.mean(axes));
    move(runningVar, values.var(axes));
  });
}
