import { OptionError } from "../../../base/errors.ts";
import type { Tensor } from "../tensor.ts";
import { select } from "./slice.ts";
import { pickFirst } from "./sort.ts";
import type { ValuesAndIndices } from "./sort.ts";

/** Options of `topK`. */
export interface TopKOptions {
  /** The largest elements (default), or the smallest. */
  readonly largest?: boolean;
  /** They come in order whatever this says. */
  readonly sorted?: boolean;
}

/**
 * The `count` largest elements along `axis`, largest first, and their places (int32): `axis` gets `count`. Of equals
 * those that come first; NaN is the largest of all. @throws OptionError
 */
export function topK(x: Tensor, count: number, axis = -1, { largest = true }: TopKOptions = {}): ValuesAndIndices {
  return pickFirst(x, axis, "topK", largest, (size) => {
    if (!Number.isInteger(count) || count < 0 || count > size) {
      throw new OptionError(`topK: expected a count from 0 to ${size}, found ${count}`);
    }
    return count;
  });
}

/** Options of `kthValue` and `median`. */
export interface KeepDimOptions {
  /** Keep the axis, with size 1. */
  readonly keepDim?: boolean;
}

/** The `k`-th smallest element along `axis`, counted from 1, and its place (int32). @throws OptionError */
export function kthValue(x: Tensor, k: number, axis = -1, { keepDim = false }: KeepDimOptions = {}): ValuesAndIndices {
  if (x.shape.length === 0) {
    const { values, indices } = kthValue(x.reshape([1]), k, axis);
    return { values, indices };
  }
  const { values, indices } = pickFirst(x, axis, "kthValue", false, (size) => {
    if (!Number.isInteger(k) || k < 1 || k > size) {
      throw new OptionError(`kthValue: expected a number from 1 to ${size}, found ${k}`);
    }
    return k;
  });
  const last = (all: Tensor): Tensor => (keepDim ? all.narrow(axis, k - 1, 1) : select(all, axis, k - 1));
  return { values: last(values), indices: last(indices) };
}
