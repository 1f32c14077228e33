/** The methods of tensors that sort, pick and place elements by their values or indices. Each is the op of its name. */
import type { Operand } from "../operands.ts";
import type { Tensor } from "../tensor.ts";
import { bincount, histc } from "../ops/bincount.ts";
import type { BincountOptions, HistcOptions } from "../ops/bincount.ts";
import type { DiagonalOptions } from "../ops/diagonal.ts";
import { gather, indexSelect } from "../ops/gather.ts";
import { indexAdd, indexCopy, indexFill } from "../ops/index-add.ts";
import type { IndexAddOptions } from "../ops/index-add.ts";
import { index, indexPut } from "../ops/advanced-index.ts";
import type { IndexEntry, IndexPutOptions } from "../ops/advanced-index.ts";
import { median, nanMedian } from "../ops/median.ts";
import { maskedSelect, nonzero } from "../ops/nonzero.ts";
import { oneHot } from "../ops/one-hot.ts";
import { scatterAdd } from "../ops/scatter-add.ts";
import { scatterReduce } from "../ops/scatter-reduce.ts";
import type { ScatterReduceOptions, ScatterReduction } from "../ops/scatter-reduce.ts";
import { scatter } from "../ops/scatter.ts";
import { diagonalScatter, selectScatter, sliceScatter } from "../ops/slice-scatter.ts";
import { argsort, sort } from "../ops/sort.ts";
import type { SortOptions, ValuesAndIndices } from "../ops/sort.ts";
import { take, takeAlongDim } from "../ops/take.ts";
import { kthValue, topK } from "../ops/top-k.ts";
import type { KeepDimOptions, TopKOptions } from "../ops/top-k.ts";
import { unique, uniqueConsecutive } from "../ops/unique.ts";
import type { Unique, UniqueOptions } from "../ops/unique.ts";
import { ProductMethods } from "./product-methods.ts";

export abstract class IndexingMethods extends ProductMethods {
  /** In ascending order along `axis` (the last), and where the elements were (int32). Stable; NaN is the greatest. */
  sort(this: Tensor, axis?: number, options?: SortOptions): ValuesAndIndices {
    return sort(this, axis, options);
  }
  /** The places that would bring it in order along `axis` (the last): int32. */
  argsort(this: Tensor, axis?: number, options?: SortOptions): Tensor {
    return argsort(this, axis, options);
  }
  /** The `count` largest elements along `axis` (the last), in order, and their places (int32). */
  topK(this: Tensor, count: number, axis?: number, options?: TopKOptions): ValuesAndIndices {
    return topK(this, count, axis, options);
  }
  /** The `k`-th smallest element along `axis` (the last), counted from 1, and its place (int32). */
  kthValue(this: Tensor, k: number, axis?: number, options?: KeepDimOptions): ValuesAndIndices {
    return kthValue(this, k, axis, options);
  }
  /** The median of all, the lower of two: []. */
  median(this: Tensor): Tensor;
  /** The medians along `axis`, the lower of two, and their places (int32). */
  median(this: Tensor, axis: number, options?: KeepDimOptions): ValuesAndIndices;
  median(this: Tensor, axis?: number, options?: KeepDimOptions): Tensor | ValuesAndIndices {
    return axis === undefined ? median(this) : median(this, axis, options);
  }
  /** As `median`, of what is not NaN. */
  nanMedian(this: Tensor): Tensor;
  /** As `median`, of what is not NaN. */
  nanMedian(this: Tensor, axis: number, options?: KeepDimOptions): ValuesAndIndices;
  nanMedian(this: Tensor, axis?: number, options?: KeepDimOptions): Tensor | ValuesAndIndices {
    return axis === undefined ? nanMedian(this) : nanMedian(this, axis, options);
  }

  /** What numbers, ranges, null (`:`), "..." and integer tensors name, as Python's x[..]; negative ones count from the end. */
  index(this: Tensor, entries: readonly IndexEntry[]): Tensor {
    return index(this, entries);
  }
  /** As `index`, with the entries as arguments: x.at(0, null, [1, 3]). */
  at(this: Tensor, ...entries: readonly IndexEntry[]): Tensor {
    return index(this, entries);
  }
  /** A copy with `values`, which broadcast, where `index` would read; or added there. */
  indexPut(this: Tensor, entries: readonly IndexEntry[], values: Operand, options?: IndexPutOptions): Tensor {
    return indexPut(this, entries, values, options);
  }
  /** out[p] = this[p with p[axis] := indices[p]] */
  gather(this: Tensor, axis: number, indices: Tensor): Tensor {
    return gather(this, axis, indices);
  }
  /** The elements of `axis` at `indices` [n]. */
  indexSelect(this: Tensor, axis: number, indices: Tensor): Tensor {
    return indexSelect(this, axis, indices);
  }
  /** The elements, in one line, at `indices`; negative ones count from the end. */
  take(this: Tensor, indices: Tensor): Tensor {
    return take(this, indices);
  }
  /** As `gather`, with other axes that broadcast; in one line without `axis`. */
  takeAlongDim(this: Tensor, indices: Tensor, axis?: number | null): Tensor {
    return takeAlongDim(this, indices, axis);
  }
  /** A copy with out[p with p[axis] := indices[p]] = source[p]; of equal indices the last wins. */
  scatter(this: Tensor, axis: number, indices: Tensor, source: Operand): Tensor {
    return scatter(this, axis, indices, source);
  }
  /** A copy with `source` added where `indices` say: out[p with p[axis] := indices[p]] += source[p]. */
  scatterAdd(this: Tensor, axis: number, indices: Tensor, source: Tensor): Tensor {
    return scatterAdd(this, axis, indices, source);
  }
  /** As `scatterAdd`, with a sum, mean, product, maximum or minimum of what arrives. */
  scatterReduce(
    this: Tensor,
    axis: number,
    indices: Tensor,
    source: Tensor,
    reduce: ScatterReduction,
    options?: ScatterReduceOptions,
  ): Tensor {
    return scatterReduce(this, axis, indices, source, reduce, options);
  }
  /** A copy with `source` added at `indices` [n] of `axis`. */
  indexAdd(this: Tensor, axis: number, indices: Tensor, source: Tensor, options?: IndexAddOptions): Tensor {
    return indexAdd(this, axis, indices, source, options);
  }
  /** A copy with `source` at `indices` [n] of `axis`; of equal indices the last wins. */
  indexCopy(this: Tensor, axis: number, indices: Tensor, source: Tensor): Tensor {
    return indexCopy(this, axis, indices, source);
  }
  /** A copy with `value` at `indices` [n] of `axis`. */
  indexFill(this: Tensor, axis: number, indices: Tensor, value: Operand): Tensor {
    return indexFill(this, axis, indices, value);
  }
  /** A copy with `source` in place of the elements from `start` to `end` of `axis`. */
  sliceScatter(
    this: Tensor,
    source: Tensor,
    axis?: number,
    start?: number | null,
    end?: number | null,
    step?: number,
  ): Tensor {
    return sliceScatter(this, source, axis, start, end, step);
  }
  /** A copy with `source` in place of element `index` of `axis`. */
  selectScatter(this: Tensor, source: Tensor, axis: number, place: number): Tensor {
    return selectScatter(this, source, axis, place);
  }
  /** A copy with `source` in place of a diagonal. */
  diagonalScatter(this: Tensor, source: Tensor, options?: DiagonalOptions): Tensor {
    return diagonalScatter(this, source, options);
  }
  /** [..] -> [.., classes] (int32). */
  oneHot(this: Tensor, classes: number): Tensor {
    return oneHot(this, classes);
  }

  /** The distinct elements in order, where they occur and how often. Reads back. */
  async unique(this: Tensor, options?: UniqueOptions): Promise<Unique> {
    return await unique(this, options);
  }
  /** As `unique`, of runs of equal elements only. Reads back. */
  async uniqueConsecutive(this: Tensor, options?: UniqueOptions): Promise<Unique> {
    return await uniqueConsecutive(this, options);
  }
  /** The indices of all elements that are not 0: [count, axes] (int32). Reads back. */
  async nonzero(this: Tensor): Promise<Tensor> {
    return await nonzero(this);
  }
  /** The same as `nonzero`. Reads back. */
  async argwhere(this: Tensor): Promise<Tensor> {
    return await nonzero(this);
  }
  /** The elements where `mask` is not 0: [count]. Reads the mask back. */
  async maskedSelect(this: Tensor, mask: Tensor): Promise<Tensor> {
    return await maskedSelect(this, mask);
  }
  /** How often 0, 1, .. occur among integers [n]. Reads back. */
  async bincount(this: Tensor, options?: BincountOptions): Promise<Tensor> {
    return await bincount(this, options);
  }
  /** How many elements lie in each of equal intervals: [bins]. */
  histc(this: Tensor, options?: HistcOptions): Tensor {
    return histc(this, options);
  }
}
