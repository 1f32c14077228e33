import { OptionError, ShapeError } from "../../../base/errors.ts";
import { isFloat } from "../../layout/dtype.ts";
import { formatShape, sameShape } from "../../layout/shape.ts";
import { filled, toIndices } from "../operands.ts";
import { sizeOf } from "../shapes.ts";
import type { Tensor } from "../tensor.ts";
import { castTo } from "./cast.ts";
import { readOnHost } from "./on-host.ts";
import { scatterSum } from "./scatter-add.ts";

/** Options of `bincount`. */
export interface BincountOptions {
  /** What each element adds, instead of 1: [n]. */
  readonly weights?: Tensor;
  /** The result has at least as many elements. */
  readonly minLength?: number;
}

/**
 * How often 0, 1, .. occur among integers [n], none of them negative: [largest + 1], int32, or the dtype of the weights.
 * Reads `x` back, since the shape depends on it; gradients flow to the weights. @throws ShapeError, OptionError
 */
export async function bincount(x: Tensor, { weights, minLength = 0 }: BincountOptions = {}): Promise<Tensor> {
  const added = weights ?? filled(x.shape, 1, "int32");
  if (x.shape.length !== 1 || !sameShape(added.shape, x.shape)) {
    throw new ShapeError(
      `bincount: expected integers [n] and as many weights, found ${formatShape(x.shape)} and ${formatShape(added.shape)}`,
    );
  }
  if (!Number.isInteger(minLength) || minLength < 0) {
    throw new OptionError(`bincount: expected a minLength from 0, found ${minLength}`);
  }
  const indices = toIndices("bincount", x);
  return await readOnHost("bincount", indices, (values) => {
    const list = Int32Array.from(values);
    const lowest = list.reduce((least, value) => Math.min(least, value), 0);
    if (lowest < 0) throw new OptionError(`bincount: expected integers from 0, found ${lowest}`);
    const largest = list.reduce((most, value) => Math.max(most, value), -1);
    return scatterSum(added, indices, 0, Math.max(minLength, largest + 1));
  });
}

/** Options of `histc`. */
export interface HistcOptions {
  readonly bins?: number;
  /** The lower end; with `max` equal to it, both are the data's. */
  readonly min?: number;
  readonly max?: number;
}

/**
 * How many elements lie in each of `bins` (100) equal intervals from `min` to `max`, the upper end included: [bins], in
 * the dtype of `x`. Elements outside count nowhere. Its shape is known, so it stays on the device. @throws OptionError
 */
export function histc(x: Tensor, { bins = 100, min = 0, max = 0 }: HistcOptions = {}): Tensor {
  if (!Number.isInteger(bins) || bins < 1 || !(min <= max)) {
    throw new OptionError(`histc: expected at least one bin and min <= max, found ${bins}, ${min} and ${max}`);
  }
  const line = castTo(x.detach().reshape([-1]), "float32");
  const out = isFloat(x.dtype) ? x.dtype : "float32";
  if (sizeOf(line.shape, 0) === 0) return filled([bins], 0, out);
  const low = min === max ? line.min() : filled([], min);
  const high = min === max ? line.max() : filled([], max);
  // Equal ends are spread by 1, as in PyTorch.
  const isPoint = low.eq(high);
  const [from, to] = [isPoint.where(low.sub(1), low), isPoint.where(high.add(1), high)];
  const bin = line.sub(from).div(to.sub(from)).mul(bins).floor().minimum(bins - 1).cast("int32"); // prettier-ignore
  const isInside = from.le(line).logicalAnd(line.le(to));
  return scatterSum(isInside.cast("int32"), isInside.where(bin, -1), 0, bins).cast(out);
}
