/** The methods of tensors that reduce, move or combine elements: each is the op of its name. Negative axes count from the end. */
import type { Shape } from "../../compiler/ir.ts";
import { ReductionMethods } from "./reduction-methods.ts";
import type { Tensor } from "../tensor.ts";
import { argmax, argmin } from "../ops/argmax.ts";
import { expandTo } from "../ops/broadcast-to.ts";
import { repeat } from "../ops/cat.ts";
import { cumsum } from "../ops/cumsum.ts";
import { gather, indexSelect } from "../ops/gather.ts";
import { logSumExp } from "../ops/log-sum-exp.ts";
import { matmul } from "../ops/matmul.ts";
import { max, min } from "../ops/max.ts";
import { mean } from "../ops/mean.ts";
import { oneHot } from "../ops/one-hot.ts";
import { pad } from "../ops/pad.ts";
import type { PadMode } from "../ops/pad.ts";
import { permute, transpose } from "../ops/permute.ts";
import { flatten, reshape, squeeze, unsqueeze } from "../ops/reshape.ts";
import { scatterAdd } from "../ops/scatter-add.ts";
import { chunk, flip, narrow, select, slice, split } from "../ops/slice.ts";
import type { Range } from "../ops/slice.ts";
import { logSoftmax, softmax } from "../ops/softmax.ts";
import { sum } from "../ops/sum.ts";
import type { Axes, DTypeOption, ReduceOptions, SumOptions } from "../ops/sum.ts";
import { tril, triu } from "../ops/tril.ts";
import { variance } from "../ops/variance.ts";
import type { VarianceOptions } from "../ops/variance.ts";

export abstract class ArrayMethods extends ReductionMethods {
  /** Over one axis, several, or all. */
  sum(this: Tensor, axes?: Axes, options?: SumOptions): Tensor {
    return sum(this, axes, options);
  }
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
  softmax(this: Tensor, axis: number): Tensor {
    return softmax(this, axis);
  }
  logSoftmax(this: Tensor, axis: number): Tensor {
    return logSoftmax(this, axis);
  }
  cumsum(this: Tensor, axis: number, options?: DTypeOption): Tensor {
    return cumsum(this, axis, options);
  }

  /** One size may be -1. */
  reshape(this: Tensor, shape: Shape): Tensor {
    return reshape(this, shape);
  }
  /** The same as `reshape`: tensors have no strides of their own. */
  view(this: Tensor, shape: Shape): Tensor {
    return reshape(this, shape);
  }
  flatten(this: Tensor, from?: number, to?: number): Tensor {
    return flatten(this, from, to);
  }
  squeeze(this: Tensor, axes?: Axes): Tensor {
    return squeeze(this, axes);
  }
  unsqueeze(this: Tensor, axis: number): Tensor {
    return unsqueeze(this, axis);
  }
  permute(this: Tensor, order: readonly number[]): Tensor {
    return permute(this, order);
  }
  transpose(this: Tensor, a: number, b: number): Tensor {
    return transpose(this, a, b);
  }
  /** Repeats axes of size 1 and adds leading ones, without a copy; -1 keeps a size. */
  expand(this: Tensor, shape: Shape): Tensor {
    return expandTo(this, shape);
  }
  repeat(this: Tensor, repeats: readonly number[]): Tensor {
    return repeat(this, repeats);
  }
  /** [start, stop, step] for each axis, as Python's; null for a whole axis. */
  slice(this: Tensor, ranges: readonly (Range | null)[]): Tensor {
    return slice(this, ranges);
  }
  narrow(this: Tensor, axis: number, start: number, length: number): Tensor {
    return narrow(this, axis, start, length);
  }
  select(this: Tensor, axis: number, index: number): Tensor {
    return select(this, axis, index);
  }
  flip(this: Tensor, axes: Axes): Tensor {
    return flip(this, axes);
  }
  split(this: Tensor, size: number | readonly number[], axis?: number): Tensor[] {
    return split(this, size, axis);
  }
  chunk(this: Tensor, count: number, axis?: number): Tensor[] {
    return chunk(this, count, axis);
  }
  /** [before, after] for the last axis, then for the one before it; negative numbers take elements off. A number as mode is a value. */
  pad(this: Tensor, padding: readonly number[], mode?: PadMode | number, value?: number): Tensor {
    return pad(this, padding, mode, value);
  }
  tril(this: Tensor, diagonal?: number): Tensor {
    return tril(this, diagonal);
  }
  triu(this: Tensor, diagonal?: number): Tensor {
    return triu(this, diagonal);
  }

  /** Batched, with leading axes that broadcast. */
  matmul(this: Tensor, other: Tensor): Tensor {
    return matmul(this, other);
  }
  gather(this: Tensor, axis: number, indices: Tensor): Tensor {
    return gather(this, axis, indices);
  }
  indexSelect(this: Tensor, axis: number, indices: Tensor): Tensor {
    return indexSelect(this, axis, indices);
  }
  scatterAdd(this: Tensor, axis: number, indices: Tensor, source: Tensor): Tensor {
    return scatterAdd(this, axis, indices, source);
  }
  /** [..] -> [.., classes] (int32). */
  oneHot(this: Tensor, classes: number): Tensor {
    return oneHot(this, classes);
  }
}
