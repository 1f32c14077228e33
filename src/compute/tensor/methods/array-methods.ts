/** The methods of tensors that reduce, move or combine elements: each is the op of its name. Negative axes count from the end. */
import type { Shape } from "../../compiler/ir.ts";
import { clone } from "../ops/clone.ts";
import { ReductionMethods } from "./reduction-methods.ts";
import type { Tensor } from "../tensor.ts";
import { argmax, argmin } from "../ops/argmax.ts";
import { expandTo } from "../ops/broadcast-to.ts";
import { diag, diagEmbed, diagonal, trace } from "../ops/diagonal.ts";
import type { DiagonalOptions } from "../ops/diagonal.ts";
import { cumsum } from "../ops/cumsum.ts";
import { logSumExp } from "../ops/log-sum-exp.ts";
import { max, min } from "../ops/max.ts";
import { mean } from "../ops/mean.ts";
import { pad } from "../ops/pad.ts";
import type { PadMode } from "../ops/pad.ts";
import { matrixTranspose, movedim, permute, transpose } from "../ops/permute.ts";
import { flatten, reshape, squeeze, unflatten, unsqueeze } from "../ops/reshape.ts";
import { repeat, tile } from "../ops/repeat.ts";
import { repeatInterleave } from "../ops/repeat-interleave.ts";
import { roll } from "../ops/roll.ts";
import { rot90 } from "../ops/rot90.ts";
import { unfoldAxis } from "../ops/unfold.ts";
import { flip, narrow, select, slice } from "../ops/slice.ts";
import type { Range } from "../ops/slice.ts";
import { chunk, split, tensorSplit, unbind } from "../ops/split.ts";
import { logSoftmax, softmax } from "../ops/softmax.ts";
import { sum } from "../ops/sum.ts";
import type { Axes, DTypeOption, ReduceOptions, SumOptions } from "../ops/sum.ts";
import { tril, triu } from "../ops/tril.ts";
import { variance } from "../ops/variance.ts";
import type { VarianceOptions } from "../ops/variance.ts";

/** A list of numbers, or the numbers as arguments. */
type Sizes = readonly number[] | readonly [readonly number[]];

function listOf(sizes: Sizes): readonly number[] {
  const [first] = sizes;
  return typeof first === "object" ? first : (sizes as readonly number[]);
}

export abstract class ArrayMethods extends ReductionMethods {
  /**
   * The sum over one axis, several, or all, which go, or stay with size 1 if `keepDim`. float16 is summed in float32,
   * bool counts in int32.
   */
  sum(this: Tensor, axes?: Axes, options?: SumOptions): Tensor {
    return sum(this, axes, options);
  }
  /** The mean over one axis, several, or all, of floats; integers want a `dtype`. @throws UnsupportedError */
  mean(this: Tensor, axes?: Axes, options?: SumOptions): Tensor {
    return mean(this, axes, options);
  }
  /** The largest element (where it is along an axis: `argmax`), or the larger of this and a tensor. */
  max(this: Tensor, axes?: Axes | Tensor, options?: ReduceOptions): Tensor {
    return max(this, axes, options);
  }
  /** The smallest element (where it is along an axis: `argmin`), or the smaller of this and a tensor. */
  min(this: Tensor, axes?: Axes | Tensor, options?: ReduceOptions): Tensor {
    return min(this, axes, options);
  }
  /** With `correction` 1 by default, as PyTorch's. */
  var(this: Tensor, axes?: Axes, options?: VarianceOptions): Tensor {
    return variance(this, axes, options);
  }
  /** log(sum(e^x)) over `axes`, without overflow. */
  logSumExp(this: Tensor, axes?: Axes, options?: ReduceOptions): Tensor {
    return logSumExp(this, axes, options);
  }
  /** The place of the largest element (int32), the first of equals. */
  argmax(this: Tensor, axis?: number | null, options?: ReduceOptions): Tensor {
    return argmax(this, axis, options);
  }
  /** The place of the smallest element (int32), the first of equals. */
  argmin(this: Tensor, axis?: number | null, options?: ReduceOptions): Tensor {
    return argmin(this, axis, options);
  }
  /** e^x / sum(e^x) along `axis`: the same shape. -1 is the last axis. */
  softmax(this: Tensor, axis: number): Tensor {
    return softmax(this, axis);
  }
  /** log(softmax(x)) along `axis`: the same shape. */
  logSoftmax(this: Tensor, axis: number): Tensor {
    return logSoftmax(this, axis);
  }
  /** The running sum along `axis`, each element included: the same shape. */
  cumsum(this: Tensor, axis: number, options?: DTypeOption): Tensor {
    return cumsum(this, axis, options);
  }

  /** The same elements in bytes of their own, once computed; the gradient passes through. */
  clone(this: Tensor): Tensor {
    return clone(this);
  }

  /** One size may be -1. Sizes may be a list or arguments, as for `view`, `expand`, `repeat`, `tile` and `permute`. */
  reshape(this: Tensor, ...shape: Sizes): Tensor {
    return reshape(this, listOf(shape));
  }
  /** In the shape of `other`. */
  reshapeAs(this: Tensor, other: Tensor): Tensor {
    return reshape(this, other.shape);
  }
  /** The same as `reshape`: tensors have no strides of their own. */
  view(this: Tensor, ...shape: Sizes): Tensor {
    return reshape(this, listOf(shape));
  }
  /** In the shape of `other`. */
  viewAs(this: Tensor, other: Tensor): Tensor {
    return reshape(this, other.shape);
  }
  /** As it is: tensors have no strides of their own. */
  contiguous(this: Tensor): Tensor {
    return this;
  }
  /** Axes `from` to `to`, inclusive, merged into one. */
  flatten(this: Tensor, from?: number, to?: number): Tensor {
    return flatten(this, from, to);
  }
  /** `axis` split into axes of `sizes`, one of which may be -1. */
  unflatten(this: Tensor, axis: number, sizes: Shape): Tensor {
    return unflatten(this, axis, sizes);
  }
  /** Without the axes of size 1: those of `axes`, or all. */
  squeeze(this: Tensor, axes?: Axes): Tensor {
    return squeeze(this, axes);
  }
  /** With a new axis of size 1 at `axis`: [a, b] -> [a, 1, b] for 1. */
  unsqueeze(this: Tensor, axis: number): Tensor {
    return unsqueeze(this, axis);
  }
  /** Axis i is axis `order[i]` of this: [a, b, c] -> [c, a, b] for 2, 0, 1. */
  permute(this: Tensor, ...order: Sizes): Tensor {
    return permute(this, listOf(order));
  }
  /** With axes `a` and `b` exchanged. */
  transpose(this: Tensor, a: number, b: number): Tensor {
    return transpose(this, a, b);
  }
  /** The same as `transpose`. */
  swapaxes(this: Tensor, a: number, b: number): Tensor {
    return transpose(this, a, b);
  }
  /** The transpose of a matrix. */
  t(this: Tensor): Tensor {
    return matrixTranspose(this);
  }
  /** Axes `from` at the places `to`, in this order. */
  movedim(this: Tensor, from: number | readonly number[], to: number | readonly number[]): Tensor {
    return movedim(this, from, to);
  }
  /** Repeats axes of size 1 and adds leading ones, without a copy; -1 keeps a size. */
  expand(this: Tensor, ...shape: Sizes): Tensor {
    return expandTo(this, listOf(shape));
  }
  /** To the shape of `other`. */
  expandAs(this: Tensor, other: Tensor): Tensor {
    return expandTo(this, other.shape);
  }
  /** As `expand`, to a shape in a list. */
  broadcastTo(this: Tensor, shape: Shape): Tensor {
    return expandTo(this, shape);
  }
  /** Each axis as often as its count says; extra leading counts add axes. */
  repeat(this: Tensor, ...repeats: Sizes): Tensor {
    return repeat(this, listOf(repeats));
  }
  /** As `repeat`, for the last axes when there are fewer counts than axes. */
  tile(this: Tensor, ...repeats: Sizes): Tensor {
    return tile(this, listOf(repeats));
  }
  /** Each element in place, `repeats` times or as often as a list says, along `axis` or in one line. */
  repeatInterleave(this: Tensor, repeats: number | readonly number[], axis?: number | null): Tensor {
    return repeatInterleave(this, repeats, axis);
  }
  /** [start, stop, step] for each axis, as Python's; null for a whole axis. */
  slice(this: Tensor, ranges: readonly (Range | null)[]): Tensor {
    return slice(this, ranges);
  }
  /** `length` elements of `axis` from `start`, which counts from the end if it is negative. */
  narrow(this: Tensor, axis: number, start: number, length: number): Tensor {
    return narrow(this, axis, start, length);
  }
  /** Element `index` of `axis`, which goes: [a, b, c] -> [a, c] for axis 1. */
  select(this: Tensor, axis: number, index: number): Tensor {
    return select(this, axis, index);
  }
  /** In reverse order along `axes`. */
  flip(this: Tensor, axes: Axes): Tensor {
    return flip(this, axes);
  }
  /** Moved by `shifts` along `axes` (in one line without), what leaves at one end coming in at the other. */
  roll(this: Tensor, shifts: number | readonly number[], axes?: number | readonly number[] | null): Tensor {
    return roll(this, shifts, axes);
  }
  /** Turned by right angles, from the first of two axes to the second. */
  rot90(this: Tensor, quarters?: number, axes?: readonly [number, number]): Tensor {
    return rot90(this, quarters, axes);
  }
  /** Parts of `axis` (the first) of `size` each, the last one maybe smaller, or of the sizes in a list. */
  split(this: Tensor, size: number | readonly number[], axis?: number): Tensor[] {
    return split(this, size, axis);
  }
  /** At most `count` parts of `axis` (the first) of equal size, the last one maybe smaller. */
  chunk(this: Tensor, count: number, axis?: number): Tensor[] {
    return chunk(this, count, axis);
  }
  /** A number of parts, or those between the places of a list. */
  tensorSplit(this: Tensor, sections: number | readonly number[], axis?: number): Tensor[] {
    return tensorSplit(this, sections, axis);
  }
  /** The elements along `axis` (the first), which goes: as many tensors as it is long. */
  unbind(this: Tensor, axis?: number): Tensor[] {
    return unbind(this, axis);
  }
  /** Sliding windows of `size`, `step` apart: `axis` becomes their number, a new last axis holds their elements. */
  unfold(this: Tensor, axis: number, size: number, step?: number): Tensor {
    return unfoldAxis(this, axis, size, step);
  }
  /** [before, after] for the last axis, then for the one before it; negative numbers take elements off. A number as mode is a value. */
  pad(this: Tensor, padding: readonly number[], mode?: PadMode | number, value?: number): Tensor {
    return pad(this, padding, mode, value);
  }
  /** The lower triangle of the last two axes, up to `diagonal` above the main one; 0 elsewhere. */
  tril(this: Tensor, diagonal?: number): Tensor {
    return tril(this, diagonal);
  }
  /** The upper triangle of the last two axes, from `diagonal` above the main one; 0 elsewhere. */
  triu(this: Tensor, diagonal?: number): Tensor {
    return triu(this, diagonal);
  }
  /** The diagonals of the matrices in a plane of two axes (the first two), which go; theirs is a new last axis. */
  diagonal(this: Tensor, options?: DiagonalOptions): Tensor {
    return diagonal(this, options);
  }
  /** [.., n] -> [.., n, n]: matrices with this on a diagonal. */
  diagEmbed(this: Tensor, options?: DiagonalOptions): Tensor {
    return diagEmbed(this, options);
  }
  /** A matrix's diagonal, or a vector's matrix. */
  diag(this: Tensor, offset?: number): Tensor {
    return diag(this, offset);
  }
  /** The sum of a matrix's diagonal. */
  trace(this: Tensor): Tensor {
    return trace(this);
  }
}
