import { OptionError, ShapeError } from "../../../base/errors.ts";
import { formatShape } from "../../layout/shape.ts";
import { commonDType, toFloat } from "../operands.ts";
import { sizeOf } from "../shapes.ts";
import type { Tensor } from "../tensor.ts";
import { castTo } from "./cast.ts";
import { convolve } from "./convolution.ts";
import { imageAxes, onBatch, perAxis } from "./spatial.ts";
import type { PerAxis } from "./spatial.ts";

/** Options of convolutions: stride, dilation and groups are 1 by default, padding is 0. */
export interface ConvOptions {
  readonly stride?: PerAxis;
  /** Zeros on both sides; "same": as many as keep the size (stride 1 only; an odd one goes to the end); "valid": none. */
  readonly padding?: PerAxis | "same" | "valid";
  /** Steps between the places that the kernel looks at. */
  readonly dilation?: PerAxis;
  /** The channels fall into so many parts that do not see each other. */
  readonly groups?: number;
}

/**
 * Cross-correlation of x [B, C, L] or [C, L] with weight [O, C / groups, k], plus bias [O] -> [B, O, OL] or [O, OL];
 * OL = floor((L + 2 padding - dilation (k - 1) - 1) / stride) + 1. @throws ShapeError, OptionError
 */
export function conv1d(x: Tensor, weight: Tensor, bias?: Tensor | null, options: ConvOptions = {}): Tensor {
  return conv("conv1d", 1, x, weight, bias, options);
}

/**
 * Cross-correlation of x [B, C, H, W] or [C, H, W] with weight [O, C / groups, kh, kw], plus bias [O] -> [B, O, OH, OW]
 * or [O, OH, OW]; sizes as in `conv1d`.
 *
 * A matrix product over patches that are not stored. @throws ShapeError, OptionError
 */
export function conv2d(x: Tensor, weight: Tensor, bias?: Tensor | null, options: ConvOptions = {}): Tensor {
  return conv("conv2d", 2, x, weight, bias, options);
}

/**
 * Cross-correlation of x [B, C, D, H, W] or [C, D, H, W] with weight [O, C / groups, kd, kh, kw], plus bias [O] ->
 * [B, O, OD, OH, OW] or [O, OD, OH, OW]; sizes as in `conv1d`. @throws ShapeError, OptionError
 */
export function conv3d(x: Tensor, weight: Tensor, bias?: Tensor | null, options: ConvOptions = {}): Tensor {
  return conv("conv3d", 3, x, weight, bias, options);
}

function conv(
  operation: string,
  rank: number,
  x: Tensor,
  weight: Tensor,
  bias: Tensor | null | undefined,
  options: ConvOptions,
): Tensor {
  const dtype = commonDType(toFloat(x), toFloat(weight));
  return onBatch(operation, rank, castTo(x, dtype), (batch) => {
    const { groups = 1 } = options;
    checkGroups(operation, groups);
    const [outputs = 0, inner = 0, ...kernel] = weight.shape;
    const channels = sizeOf(batch.shape, 1);
    if (kernel.length !== rank || channels !== inner * groups || outputs % groups !== 0) {
      throw new ShapeError(
        `${operation}: expected x ${imageAxes(rank)} and weight [O, C / ${groups}, ...kernel], found ${formatShape(x.shape)} and ${formatShape(weight.shape)}`,
      );
    }
    const y = convolve([batch, castTo(weight, dtype)], slidingOver(operation, batch.shape.slice(2), kernel, options));
    return withBias(operation, y, bias);
  });
}

/** @throws OptionError */
export function checkGroups(operation: string, groups: number): void {
  if (!Number.isInteger(groups) || groups < 1) {
    throw new OptionError(`${operation}: expected groups to be a whole number from 1, found ${groups}`);
  }
}

function slidingOver(operation: string, input: readonly number[], kernel: readonly number[], options: ConvOptions) {
  const rank = kernel.length;
  const stride = perAxis(operation, "stride", options.stride ?? 1, rank, 1);
  const dilation = perAxis(operation, "dilation", options.dilation ?? 1, rank, 1);
  perAxis(operation, "the kernel's size", kernel, rank, 1);
  const [low, total] = zerosAround(operation, options.padding ?? 0, { kernel, stride, dilation });
  const output = input.map((size, axis) => {
    const reach = (sizeOf(kernel, axis) - 1) * sizeOf(dilation, axis) + 1;
    return Math.floor((size + sizeOf(total, axis) - reach) / sizeOf(stride, axis)) + 1;
  });
  if (output.some((size) => size < 1)) {
    const reach = kernel.map((size, axis) => (size - 1) * sizeOf(dilation, axis) + 1 - sizeOf(total, axis));
    throw new ShapeError(
      `${operation}: expected at least ${formatShape(reach)} elements for this kernel, found ${formatShape(input)}`,
    );
  }
  return { input, kernel, output, low, stride, dilation, groups: options.groups ?? 1 };
}

/** Zeros before each axis, and on both sides together. */
function zerosAround(
  operation: string,
  padding: PerAxis | "same" | "valid",
  steps: Readonly<Record<"kernel" | "stride" | "dilation", readonly number[]>>,
): [low: number[], total: number[]] {
  const { kernel, stride, dilation } = steps;
  if (padding === "valid") return [kernel.map(() => 0), kernel.map(() => 0)];
  if (padding === "same") {
    if (stride.some((step) => step !== 1)) {
      throw new OptionError(`${operation}: expected stride 1 with padding "same", found ${formatShape(stride)}`);
    }
    const total = samePadding(kernel, dilation);
    return [total.map((count) => Math.floor(count / 2)), total];
  }
  if (typeof padding === "string") {
    throw new OptionError(
      `${operation}: expected padding to be numbers, "same" or "valid", found "${String(padding)}"`,
    );
  }
  const low = perAxis(operation, "padding", padding, kernel.length, 0);
  return [low, low.map((count) => 2 * count)];
}

/** The elements on both sides of each axis that keep its size; half of them, rounded down, go before it. */
export function samePadding(kernel: readonly number[], dilation: readonly number[]): number[] {
  return kernel.map((size, axis) => (size - 1) * sizeOf(dilation, axis));
}

/** y [B, O, ...] plus bias [O]. @throws ShapeError */
export function withBias(operation: string, y: Tensor, bias: Tensor | null | undefined): Tensor {
  if (bias === null || bias === undefined) return y;
  const [, outputs = 0, ...spatial] = y.shape;
  if (bias.shape.length !== 1 || bias.shape[0] !== outputs) {
    throw new ShapeError(`${operation}: expected a bias [${outputs}], found ${formatShape(bias.shape)}`);
  }
  return y.add(bias.reshape([outputs, ...spatial.map(() => 1)]));
}
