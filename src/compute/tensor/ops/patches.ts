import { OptionError, ShapeError } from "../../../base/errors.ts";
import { formatShape } from "../../layout/shape.ts";
import type { Tensor } from "../tensor.ts";
import { windows } from "./window.ts";

/** A number for both spatial axes, or [vertical, horizontal]. */
export type Pair = number | readonly [number, number];

export interface PatchOptions {
  readonly size: Pair;
  readonly stride: Pair;
  readonly padding: Pair;
  readonly dilation: Pair;
  /** What the padding holds. */
  readonly value: number;
}

/** Both members of a pair. */
export function bothOf(pair: Pair): readonly [number, number] {
  return typeof pair === "number" ? [pair, pair] : pair;
}

/** x [B, C, H, W] -> the patches under a sliding kernel, [B, C, OH, OW, kh, kw], without a copy. @throws ShapeError, OptionError */
export function patches2d(operation: string, x: Tensor, options: PatchOptions): Tensor {
  const [height, width] = bothOf(options.size);
  const [strideY, strideX] = bothOf(options.stride);
  const [paddingY, paddingX] = bothOf(options.padding);
  const [dilationY, dilationX] = bothOf(options.dilation);
  const isCount = (n: number): boolean => Number.isInteger(n) && n >= 1;
  if (![height, width, strideY, strideX, dilationY, dilationX].every(isCount) || paddingX < 0 || paddingY < 0) {
    throw new OptionError(`${operation}: expected sizes, strides and dilations of at least 1, found a smaller one`);
  }
  const [, , h = 0, w = 0] = x.shape;
  const reach = [(height - 1) * dilationY + 1 - 2 * paddingY, (width - 1) * dilationX + 1 - 2 * paddingX];
  if (x.shape.length !== 4 || h < (reach[0] ?? 0) || w < (reach[1] ?? 0)) {
    throw new ShapeError(
      `${operation}: expected [B, C, H, W] of at least ${formatShape(reach)} for this kernel, found ${formatShape(x.shape)}`,
    );
  }
  return windows(
    windows(x.pad([paddingX, paddingX, paddingY, paddingY], options.value), {
      axis: 2,
      size: height,
      stride: strideY,
      dilation: dilationY,
    }),
    { axis: 3, size: width, stride: strideX, dilation: dilationX },
  );
}
