import { normalizeAxis } from "../shapes.ts";
import type { Tensor } from "../tensor.ts";
import { gather } from "./gather.ts";
import { firstPlaces } from "./sort-order.ts";
import { sortKeys } from "./sort-keys.ts";

/** What picks elements of a line gives: them, and their places along the axis (int32). */
export interface ValuesAndIndices {
  readonly values: Tensor;
  readonly indices: Tensor;
}

/** Options of `sort` and `argsort`. */
export interface SortOptions {
  readonly descending?: boolean;
}

/**
 * `x` in ascending order along `axis`, and where its elements were (int32). Equal ones keep their order, also in
 * descending order; NaN is greater than all numbers. dL/dx goes back to where the elements came from.
 *
 * Up to 256 elements by n^2 comparisons in three kernels, beyond in log2(n / 256) merges of three more. @throws OptionError
 */
export function sort(x: Tensor, axis = -1, { descending = false }: SortOptions = {}): ValuesAndIndices {
  return pickFirst(x, axis, "sort", descending, (size) => size);
}

/** The places that would bring `x` in order along `axis`: int32. See `sort`. @throws OptionError */
export function argsort(x: Tensor, axis = -1, options: SortOptions = {}): Tensor {
  return sort(x, axis, options).indices;
}

/** The first `countOf(size)` elements in order along `axis`. A number's axis is 0 or -1. */
export function pickFirst(
  x: Tensor,
  axis: number,
  operation: string,
  descending: boolean,
  countOf: (size: number) => number,
): ValuesAndIndices {
  if (x.shape.length === 0) {
    const { values, indices } = pickFirst(x.reshape([1]), axis, operation, descending, countOf);
    const shape = values.size === 1 ? [] : values.shape;
    return { values: values.reshape(shape), indices: indices.reshape(shape) };
  }
  const at = normalizeAxis(operation, axis, x.shape.length);
  const lines = sortKeys(x, descending).transpose(at, -1);
  const indices = firstPlaces(lines, countOf(x.shape[at] ?? 0)).transpose(at, -1);
  return { values: gather(x, at, indices), indices };
}
