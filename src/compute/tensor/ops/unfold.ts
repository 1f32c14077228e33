/** Sliding windows as axes, and the patches of images as columns and back (im2col and col2im). */
import { OptionError, ShapeError } from "../../../base/errors.ts";
import { elementCount, formatShape } from "../../layout/shape.ts";
import { normalizeAxis, sizeOf } from "../shapes.ts";
import type { Tensor } from "../tensor.ts";
import { padWith } from "./pad.ts";
import { perAxis } from "./spatial.ts";
import type { PerAxis } from "./spatial.ts";
import { unwindows, windows } from "./window.ts";

/**
 * All windows of `size` elements of `axis`, `step` apart: `axis` becomes the number of windows, and a new last axis
 * holds their elements. A view: no bytes move. @throws OptionError; ShapeError for windows longer than the axis
 */
export function unfoldAxis(x: Tensor, axis: number, size: number, step = 1): Tensor {
  const at = normalizeAxis("unfold", axis, x.shape.length);
  if (!Number.isInteger(size) || !Number.isInteger(step) || size < 1 || step < 1) {
    throw new OptionError(`unfold: expected a size and a step of at least 1, found ${size} and ${step}`);
  }
  if (size > sizeOf(x.shape, at)) {
    throw new ShapeError(`unfold: expected windows of at most ${sizeOf(x.shape, at)} elements at axis ${at}, found ${size}`); // prettier-ignore
  }
  return windows(x, { axis: at, size, stride: step, dilation: 1 });
}

/** How windows slide over the two last axes. */
export interface UnfoldOptions {
  readonly dilation?: PerAxis;
  readonly padding?: PerAxis;
  readonly stride?: PerAxis;
}

interface Patches {
  readonly image: readonly number[];
  readonly kernel: readonly number[];
  readonly counts: readonly number[];
  readonly stride: readonly number[];
  readonly dilation: readonly number[];
  readonly padding: readonly number[];
}

function patchesOf(operation: string, image: readonly number[], kernelSize: PerAxis, options: UnfoldOptions): Patches {
  const kernel = perAxis(operation, "kernelSize", kernelSize, 2, 1);
  const dilation = perAxis(operation, "dilation", options.dilation ?? 1, 2, 1);
  const padding = perAxis(operation, "padding", options.padding ?? 0, 2, 0);
  const stride = perAxis(operation, "stride", options.stride ?? 1, 2, 1);
  const counts = image.map((size, axis) => {
    const free = size + 2 * sizeOf(padding, axis) - sizeOf(dilation, axis) * (sizeOf(kernel, axis) - 1) - 1;
    return Math.floor(free / sizeOf(stride, axis)) + 1;
  });
  if (counts.some((count) => count < 1)) {
    throw new ShapeError(`${operation}: expected images that hold the kernel ${formatShape(kernel)}, found ${formatShape(image)}`); // prettier-ignore
  }
  return { image, kernel, counts, stride, dilation, padding };
}

/**
 * The patches of images [B, C, H, W] under a sliding kernel, as columns: [B, C * kernel's elements, patches]; the B is
 * optional. Columns are in row-major order of the patches. @throws ShapeError, OptionError
 */
export function unfold(x: Tensor, kernelSize: PerAxis, options: UnfoldOptions = {}): Tensor {
  if (x.shape.length === 3) return unfold(x.unsqueeze(0), kernelSize, options).squeeze(0);
  if (x.shape.length !== 4) {
    throw new ShapeError(`unfold: expected images [B, C, H, W] or [C, H, W], found ${formatShape(x.shape)}`);
  }
  const [batch = 0, channels = 0] = x.shape;
  const { kernel, counts, stride, dilation, padding } = patchesOf("unfold", x.shape.slice(2), kernelSize, options);
  const around = [0, 0, ...padding];
  const padded = padWith(x, { low: around, high: around, interior: [0, 0, 0, 0], value: 0 });
  const apart = [0, 1].reduce(
    (out, i) => windows(out, { axis: 2 + i, size: sizeOf(kernel, i), stride: sizeOf(stride, i), dilation: sizeOf(dilation, i) }),
    padded,
  ); // prettier-ignore
  // [B, C, rows, columns, kernel rows, kernel columns]
  return apart.permute([0, 1, 4, 5, 2, 3]).reshape([batch, channels * elementCount(kernel), elementCount(counts)]);
}

/**
 * The adjoint of `unfold`: columns [B, C * kernel's elements, patches] -> images [B, C, ...outputSize], summed where
 * patches overlap; the B is optional. @throws ShapeError, OptionError
 */
export function fold(x: Tensor, outputSize: PerAxis, kernelSize: PerAxis, options: UnfoldOptions = {}): Tensor {
  if (x.shape.length === 2) return fold(x.unsqueeze(0), outputSize, kernelSize, options).squeeze(0);
  const image = perAxis("fold", "outputSize", outputSize, 2, 1);
  const { kernel, counts, stride, dilation, padding } = patchesOf("fold", image, kernelSize, options);
  const [batch = 0, rows = 0, patches = 0] = x.shape;
  const channels = rows / elementCount(kernel);
  if (x.shape.length !== 3 || !Number.isInteger(channels) || patches !== elementCount(counts)) {
    throw new ShapeError(
      `fold: expected columns [B, C * ${elementCount(kernel)}, ${elementCount(counts)}], found ${formatShape(x.shape)}`,
    );
  }
  const apart = x.reshape([batch, channels, ...kernel, ...counts]).permute([0, 1, 4, 5, 2, 3]);
  const padded = [1, 0].reduce((out, i) => {
    const length = sizeOf(image, i) + 2 * sizeOf(padding, i);
    return unwindows(out, { axis: 2 + i, size: sizeOf(kernel, i), stride: sizeOf(stride, i), dilation: sizeOf(dilation, i), length }); // prettier-ignore
  }, apart);
  const inner = image.map((size, axis): [number, number] => [sizeOf(padding, axis), sizeOf(padding, axis) + size]);
  return padded.slice([null, null, ...inner]);
}
