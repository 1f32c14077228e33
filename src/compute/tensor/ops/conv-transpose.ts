import { OptionError, ShapeError } from "../../../base/errors.ts";
import { formatShape } from "../../layout/shape.ts";
import { commonDType, toFloat } from "../operands.ts";
import { sizeOf } from "../shapes.ts";
import type { Tensor } from "../tensor.ts";
import { castTo } from "./cast.ts";
import { checkGroups, withBias } from "./conv.ts";
import { convolveInput } from "./convolution.ts";
import { imageAxes, onBatch, perAxis } from "./spatial.ts";
import type { PerAxis } from "./spatial.ts";

/** Options of transposed convolutions: stride, dilation and groups are 1 by default, the rest 0. */
export interface ConvTransposeOptions {
  readonly stride?: PerAxis;
  /** What the convolution that this one turns around has: it takes elements off both ends. */
  readonly padding?: PerAxis;
  /** Elements more at the end, below the stride or the dilation. */
  readonly outputPadding?: PerAxis;
  readonly dilation?: PerAxis;
  readonly groups?: number;
}

/**
 * The transpose of `conv1d` as a linear map: x [B, C, L] or [C, L], weight [C, O / groups, k], bias [O] -> [B, O, OL] or
 * [O, OL]; OL = (L - 1) stride - 2 padding + dilation (k - 1) + outputPadding + 1. @throws ShapeError, OptionError
 */
export function convTranspose1d(
  x: Tensor,
  weight: Tensor,
  bias?: Tensor | null,
  options: ConvTransposeOptions = {},
): Tensor {
  return convTranspose("convTranspose1d", 1, x, weight, bias, options);
}

/**
 * The transpose of `conv2d`: x [B, C, H, W] or [C, H, W], weight [C, O / groups, kh, kw], bias [O] -> [B, O, OH, OW] or
 * [O, OH, OW]; sizes as in `convTranspose1d`. @throws ShapeError, OptionError
 */
export function convTranspose2d(
  x: Tensor,
  weight: Tensor,
  bias?: Tensor | null,
  options: ConvTransposeOptions = {},
): Tensor {
  return convTranspose("convTranspose2d", 2, x, weight, bias, options);
}

/**
 * The transpose of `conv3d`: x [B, C, D, H, W] or [C, D, H, W], weight [C, O / groups, kd, kh, kw], bias [O] ->
 * [B, O, OD, OH, OW] or [O, OD, OH, OW]; sizes as in `convTranspose1d`. @throws ShapeError, OptionError
 */
export function convTranspose3d(
  x: Tensor,
  weight: Tensor,
  bias?: Tensor | null,
  options: ConvTransposeOptions = {},
): Tensor {
  return convTranspose("convTranspose3d", 3, x, weight, bias, options);
}

function convTranspose(
  operation: string,
  rank: number,
  x: Tensor,
  weight: Tensor,
  bias: Tensor | null | undefined,
  options: ConvTransposeOptions,
): Tensor {
  const dtype = commonDType(toFloat(x), toFloat(weight));
  return onBatch(operation, rank, castTo(x, dtype), (batch) => {
    const { groups = 1 } = options;
    checkGroups(operation, groups);
    const [inputs = 0, , ...kernel] = weight.shape;
    if (kernel.length !== rank || batch.shape[1] !== inputs || inputs % groups !== 0) {
      throw new ShapeError(
        `${operation}: expected x ${imageAxes(rank)} and weight [C, O / ${groups}, ...kernel], found ${formatShape(x.shape)} and ${formatShape(weight.shape)}`,
      );
    }
    const y = convolveInput(
      [batch, castTo(weight, dtype)],
      spreading(operation, batch.shape.slice(2), kernel, options),
    );
    return withBias(operation, y, bias);
  });
}

/** The geometry of the convolution that leads from the result to `spatial`. */
function spreading(
  operation: string,
  spatial: readonly number[],
  kernel: readonly number[],
  options: ConvTransposeOptions,
) {
  // prettier-ignore
  const rank = kernel.length;
  const stride = perAxis(operation, "stride", options.stride ?? 1, rank, 1);
  const dilation = perAxis(operation, "dilation", options.dilation ?? 1, rank, 1);
  const low = perAxis(operation, "padding", options.padding ?? 0, rank, 0);
  const extra = perAxis(operation, "outputPadding", options.outputPadding ?? 0, rank, 0);
  perAxis(operation, "the kernel's size", kernel, rank, 1);
  if (extra.some((count, axis) => count >= Math.max(sizeOf(stride, axis), sizeOf(dilation, axis)))) {
    throw new OptionError(
      `${operation}: expected outputPadding below the stride or the dilation, found ${formatShape(extra)}`,
    );
  }
  const input = spatial.map((size, axis) => {
    const reach = (size - 1) * sizeOf(stride, axis) + (sizeOf(kernel, axis) - 1) * sizeOf(dilation, axis) + 1;
    return reach - 2 * sizeOf(low, axis) + sizeOf(extra, axis);
  });
  if (spatial.includes(0) || input.some((size) => size < 1)) {
    throw new ShapeError(
      `${operation}: expected elements and a padding that leave some, found ${formatShape(spatial)} to become ${formatShape(input)}`,
    );
  }
  return { input, kernel, output: spatial, low, stride, dilation, groups: options.groups ?? 1 };
}
