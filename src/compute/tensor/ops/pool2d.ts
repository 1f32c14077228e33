/** Pooling over the patches of images [B, C, H, W]. */
import type { Tensor } from "../tensor.ts";
import { patches2d } from "./patches.ts";
import type { Pair } from "./patches.ts";

const LOWEST = -3.4e38; // Next to the lowest float32: WGSL promises no infinities.

export interface PoolOptions {
  readonly kernelSize: Pair;
  /** The kernel's size by default. */
  readonly stride?: Pair | undefined;
  readonly padding?: Pair;
}

/** The largest element of each patch; of equals, the first gets the gradient. @throws ShapeError */
export function maxPool2d(x: Tensor, options: PoolOptions): Tensor {
  return flatPatches("maxPool2d", x, options, LOWEST).max(-1);
}

/** The mean of each patch; the padding's zeros count. @throws ShapeError */
export function avgPool2d(x: Tensor, options: PoolOptions): Tensor {
  return flatPatches("avgPool2d", x, options, 0).mean(-1);
}

/** [B, C, OH, OW, kh * kw] */
function flatPatches(
  operation: string,
  x: Tensor,
  { kernelSize, stride = kernelSize, padding = 0 }: PoolOptions,
  value: number,
): Tensor {
  return patches2d(operation, x, { size: kernelSize, stride, padding, dilation: 1, value }).flatten(4);
}
