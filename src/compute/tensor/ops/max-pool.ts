import { isFloat } from "../../layout/dtype.ts";
import { sizeOf } from "../shapes.ts";
import type { Tensor } from "../tensor.ts";
import { poolOptions, poolWindows, slidingOf, windowStarts } from "./pool-windows.ts";
import type { PoolArguments, PoolOptions, Sliding } from "./pool-windows.ts";
import { onBatch } from "./spatial.ts";
import type { PerAxis } from "./spatial.ts";
import { wholeQuotient } from "./whole-quotient.ts";

const LOWEST = -3.4e38; // Next to the lowest float32: WGSL promises no infinities.
const LOWEST_FLOAT16 = -65_504;

/** Options of max pools. */
export interface MaxPoolOptions extends PoolOptions {
  /** Steps between the elements of a window. */
  readonly dilation?: PerAxis;
}

/**
 * The largest element of each window: [B, C, L] or [C, L] -> [.., C, OL], OL = floor((L + 2 padding - dilation (k - 1) -
 * 1) / stride) + 1. Of equals, the first gets the gradient. @throws ShapeError, OptionError
 */
export function maxPool1d(x: Tensor, ...options: PoolArguments<MaxPoolOptions>): Tensor {
  return maxPool("maxPool1d", 1, x, poolOptions(options));
}

/** As `maxPool1d`, for [B, C, H, W] or [C, H, W]. @throws ShapeError, OptionError */
export function maxPool2d(x: Tensor, ...options: PoolArguments<MaxPoolOptions>): Tensor {
  return maxPool("maxPool2d", 2, x, poolOptions(options));
}

/** As `maxPool1d`, for [B, C, D, H, W] or [C, D, H, W]. @throws ShapeError, OptionError */
export function maxPool3d(x: Tensor, ...options: PoolArguments<MaxPoolOptions>): Tensor {
  return maxPool("maxPool3d", 3, x, poolOptions(options));
}

/** `maxPool1d`, and where in L each element was (int32). @throws ShapeError, OptionError */
export function maxPool1dWithIndices(x: Tensor, ...options: PoolArguments<MaxPoolOptions>): [Tensor, Tensor] {
  return [maxPool1d(x, ...options), maxIndices("maxPool1d", 1, x, poolOptions(options))];
}

/** `maxPool2d`, and where in H * W, row-major, each element was (int32). @throws ShapeError, OptionError */
export function maxPool2dWithIndices(x: Tensor, ...options: PoolArguments<MaxPoolOptions>): [Tensor, Tensor] {
  return [maxPool2d(x, ...options), maxIndices("maxPool2d", 2, x, poolOptions(options))];
}

/** `maxPool3d`, and where in D * H * W, row-major, each element was (int32). @throws ShapeError, OptionError */
export function maxPool3dWithIndices(x: Tensor, ...options: PoolArguments<MaxPoolOptions>): [Tensor, Tensor] {
  return [maxPool3d(x, ...options), maxIndices("maxPool3d", 3, x, poolOptions(options))];
}

function maxPool(operation: string, rank: number, x: Tensor, options: MaxPoolOptions): Tensor {
  return onBatch(operation, rank, x, (batch) =>
    poolWindows(batch, slidingOf(operation, batch.shape.slice(2), options), lowestOf(batch)).max(-1),
  );
}

function lowestOf({ dtype }: Tensor): number {
  if (isFloat(dtype)) return dtype === "float16" ? LOWEST_FLOAT16 : LOWEST;
  return dtype === "int32" ? -(2 ** 31) : 0;
}

function maxIndices(operation: string, rank: number, x: Tensor, options: MaxPoolOptions): Tensor {
  return onBatch(operation, rank, x, (batch) => {
    const sliding = slidingOf(operation, batch.shape.slice(2), options);
    return placesInInput(poolWindows(batch, sliding, lowestOf(batch)).argmax(-1), sliding);
  });
}

/** Row-major places within windows as row-major places within the input. */
function placesInInput(within: Tensor, sliding: Sliding): Tensor {
  const { input, kernel, dilation } = sliding;
  let place: Tensor | null = null;
  for (const [axis, size] of kernel.entries()) {
    const after = kernel.slice(axis + 1).reduce((count, other) => count * other, 1);
    const step = wholeQuotient(within, after).sub(wholeQuotient(within, after * size).mul(size));
    const along = step.mul(sizeOf(dilation, axis)).add(windowStarts(sliding, axis));
    place = place === null ? along : place.mul(sizeOf(input, axis)).add(along);
  }
  return place ?? within;
}
