import { OptionError, ShapeError } from "../../../base/errors.ts";
import { formatShape } from "../../layout/shape.ts";
import { toFloat } from "../operands.ts";
import { sizeOf } from "../shapes.ts";
import { iotaTensor } from "../source.ts";
import type { Tensor } from "../tensor.ts";
import { onBatch } from "./spatial.ts";
import { wholeQuotient } from "./whole-quotient.ts";
import { windows } from "./window.ts";

/** The result's size: a number for all axes, or one for each; null keeps an axis as it is. */
export type OutputSize = number | null | readonly (number | null)[];

/**
 * Means of `outputSize` parts of nearly equal length: [B, C, L] or [C, L] -> [.., C, outputSize]. Part i is that from
 * floor(i L / O) to ceil((i + 1) L / O), which overlap unless O divides L. @throws ShapeError, OptionError
 */
export function adaptiveAvgPool1d(x: Tensor, outputSize: OutputSize): Tensor {
  return adaptivePool("adaptiveAvgPool1d", 1, toFloat(x), outputSize, meansAlong);
}

/** As `adaptiveAvgPool1d` along both axes: [B, C, H, W] or [C, H, W] -> [.., C, OH, OW]; 1 is the global mean. @throws ShapeError, OptionError */
export function adaptiveAvgPool2d(x: Tensor, outputSize: OutputSize): Tensor {
  return adaptivePool("adaptiveAvgPool2d", 2, toFloat(x), outputSize, meansAlong);
}

/** As `adaptiveAvgPool1d` along all three axes of [B, C, D, H, W] or [C, D, H, W]. @throws ShapeError, OptionError */
export function adaptiveAvgPool3d(x: Tensor, outputSize: OutputSize): Tensor {
  return adaptivePool("adaptiveAvgPool3d", 3, toFloat(x), outputSize, meansAlong);
}

/** The largest elements of the parts of `adaptiveAvgPool1d`; of equals, the first gets the gradient. @throws ShapeError, OptionError */
export function adaptiveMaxPool1d(x: Tensor, outputSize: OutputSize): Tensor {
  return adaptivePool("adaptiveMaxPool1d", 1, x, outputSize, maximaAlong);
}

/** As `adaptiveMaxPool1d` along both axes: [B, C, H, W] or [C, H, W] -> [.., C, OH, OW]. @throws ShapeError, OptionError */
export function adaptiveMaxPool2d(x: Tensor, outputSize: OutputSize): Tensor {
  return adaptivePool("adaptiveMaxPool2d", 2, x, outputSize, maximaAlong);
}

/** As `adaptiveMaxPool1d` along all three axes of [B, C, D, H, W] or [C, D, H, W]. @throws ShapeError, OptionError */
export function adaptiveMaxPool3d(x: Tensor, outputSize: OutputSize): Tensor {
  return adaptivePool("adaptiveMaxPool3d", 3, x, outputSize, maximaAlong);
}

/** `parts` parts of `axis` become one element each. */
type AlongAxis = (x: Tensor, axis: number, parts: number) => Tensor;

/** Last axis first: of equal maxima, the first in row-major order is then the one that all choose. */
function adaptivePool(operation: string, rank: number, x: Tensor, size: OutputSize, along: AlongAxis): Tensor {
  return onBatch(operation, rank, x, (batch) => {
    const given = typeof size === "object" && size !== null ? size : Array.from({ length: rank }, () => size);
    const sizes = given.map((n, axis) => n ?? sizeOf(batch.shape, 2 + axis));
    if (sizes.length !== rank || !sizes.every((n) => Number.isInteger(n) && n >= 0)) {
      throw new OptionError(
        `${operation}: expected an outputSize of one or ${rank} whole numbers from 0, found [${given.join(", ")}]`,
      );
    }
    if (batch.shape.slice(2).includes(0)) {
      throw new ShapeError(`${operation}: expected elements along every axis, found ${formatShape(x.shape)}`);
    }
    return sizes.reduceRight((out, parts, axis) => {
      if (parts === 0) return out.narrow(2 + axis, 0, 0);
      return parts === sizeOf(batch.shape, 2 + axis) ? out : along(out, 2 + axis, parts);
    }, batch);
  });
}

function meansAlong(x: Tensor, axis: number, parts: number): Tensor {
  const size = sizeOf(x.shape, axis);
  if (size % parts === 0) return evenParts(x, axis, parts).mean(-1);
  const { elements, isRepeated, counts } = unevenParts(x, axis, parts);
  return isRepeated.where(0, elements).sum(-1).div(counts.cast(x.dtype));
}

function maximaAlong(x: Tensor, axis: number, parts: number): Tensor {
  return (sizeOf(x.shape, axis) % parts === 0 ? evenParts(x, axis, parts) : unevenParts(x, axis, parts).elements).max(
    -1,
  );
}

function evenParts(x: Tensor, axis: number, parts: number): Tensor {
  const size = sizeOf(x.shape, axis) / parts;
  return windows(x, { axis, size, stride: size, dilation: 1 });
}

/** Parts of different lengths, each as [.., parts, .., longest]: shorter ones repeat their last element. */
function unevenParts(x: Tensor, axis: number, parts: number): { elements: Tensor; isRepeated: Tensor; counts: Tensor } {
  const size = sizeOf(x.shape, axis);
  const longest = Math.max(0, ...Array.from({ length: parts }, (_, i) => endOf(i, size, parts) - startOf(i, size, parts))); // prettier-ignore
  const part = iotaTensor([parts, longest], 0);
  const within = iotaTensor([parts, longest], 1);
  const starts = wholeQuotient(part.mul(size), parts);
  const lengths = wholeQuotient(
    part
      .add(1)
      .mul(size)
      .add(parts - 1),
    parts,
  ).sub(starts);
  const indices = starts.add(within.minimum(lengths.sub(1)));
  const picked = x.indexSelect(axis, indices.reshape([-1]));
  const apart = picked.reshape([...x.shape.slice(0, axis), parts, longest, ...x.shape.slice(axis + 1)]);
  const rank = apart.shape.length;
  const order = apart.shape.map((_, i) => i).filter((i) => i !== axis + 1);
  const along = (values: Tensor): Tensor =>
    values.reshape([parts, ...Array.from({ length: rank - axis - 2 }, () => 1), longest]);
  return {
    elements: apart.permute([...order, axis + 1]),
    isRepeated: along(within.ge(lengths)),
    counts: along(lengths)
      .slice([...Array.from({ length: rank - axis - 1 }, () => null), [0, 1]])
      .squeeze(-1),
  };
}

function startOf(part: number, size: number, parts: number): number {
  return Math.floor((part * size) / parts);
}

function endOf(part: number, size: number, parts: number): number {
  return Math.ceil(((part + 1) * size) / parts);
}
