import { OptionError } from "../../../base/errors.ts";
import { toFloat } from "../operands.ts";
import { sizeOf } from "../shapes.ts";
import type { Tensor } from "../tensor.ts";
import { poolOptions, poolWindows, slidingOf, windowStarts } from "./pool-windows.ts";
import type { PoolArguments, PoolOptions, Sliding } from "./pool-windows.ts";
import { onBatch } from "./spatial.ts";

/** Options of average pools. */
export interface AvgPoolOptions extends PoolOptions {
  /** The padding's zeros count as elements. On by default. */
  readonly countIncludePad?: boolean;
  /** What every sum is divided by, in place of the number of elements. */
  readonly divisorOverride?: number | null | undefined;
}

/**
 * The mean of each window: [B, C, L] or [C, L] -> [.., C, OL], OL = floor((L + 2 padding - k) / stride) + 1.
 *
 * What `ceilMode` adds beyond the padding never counts. @throws ShapeError, OptionError
 */
export function avgPool1d(x: Tensor, ...options: PoolArguments<AvgPoolOptions>): Tensor {
  return avgPool("avgPool1d", 1, x, poolOptions(options));
}

/** As `avgPool1d`, for [B, C, H, W] or [C, H, W]. @throws ShapeError, OptionError */
export function avgPool2d(x: Tensor, ...options: PoolArguments<AvgPoolOptions>): Tensor {
  return avgPool("avgPool2d", 2, x, poolOptions(options));
}

/** As `avgPool1d`, for [B, C, D, H, W] or [C, D, H, W]. @throws ShapeError, OptionError */
export function avgPool3d(x: Tensor, ...options: PoolArguments<AvgPoolOptions>): Tensor {
  return avgPool("avgPool3d", 3, x, poolOptions(options));
}

function avgPool(operation: string, rank: number, x: Tensor, options: AvgPoolOptions): Tensor {
  const { countIncludePad = true, divisorOverride = null } = options;
  if (divisorOverride !== null && !(Math.abs(divisorOverride) > 0)) {
    throw new OptionError(`${operation}: expected a divisorOverride other than 0, found ${divisorOverride}`);
  }
  return onBatch(operation, rank, toFloat(x), (batch) => {
    const sliding = slidingOf(operation, batch.shape.slice(2), options);
    const sums = poolWindows(batch, sliding, 0).sum(-1);
    if (divisorOverride !== null) return sums.mul(1 / divisorOverride);
    return sliding.kernel.reduce((means, _, axis) => dividedByCount(means, sliding, axis, countIncludePad), sums);
  });
}

/** `sums` divided by the number of elements of each window along one axis. */
function dividedByCount(sums: Tensor, sliding: Sliding, axis: number, countIncludePad: boolean): Tensor {
  const size = sizeOf(sliding.kernel, axis);
  const padding = sizeOf(sliding.padding, axis);
  const counted = countIncludePad ? padding : 0; // Zeros that count, before and after the input.
  const end = sizeOf(sliding.input, axis) + counted;
  const last = (sizeOf(sliding.output, axis) - 1) * sizeOf(sliding.stride, axis) - padding;
  if (counted === padding && last + size <= end) return sums.mul(1 / size);
  const starts = windowStarts(sliding, axis);
  const count = starts.add(size).minimum(end).sub(starts.maximum(-counted));
  return sums.div(count.cast(sums.dtype));
}
