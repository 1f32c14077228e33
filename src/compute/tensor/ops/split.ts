/** Parts of a tensor along an axis: views, and the gradient of each is 0 outside of it. */
import { OptionError, ShapeError } from "../../../base/errors.ts";
import { formatShape } from "../../layout/shape.ts";
import { normalizeAxis, sizeOf } from "../shapes.ts";
import type { Tensor } from "../tensor.ts";
import { narrow, select } from "./slice.ts";

/** Parts of `axis` of `size` each (the last may be smaller), or of the given sizes. @throws ShapeError, OptionError */
export function split(x: Tensor, size: number | readonly number[], axis = 0): Tensor[] {
  const at = normalizeAxis("split", axis, x.shape.length);
  const all = sizeOf(x.shape, at);
  const sizes = typeof size === "number" ? evenParts(all, size) : size;
  if (sizes.some((part) => part < 0) || sizes.reduce((sum, part) => sum + part, 0) !== all) {
    throw new ShapeError(`split: expected parts that make ${all}, found ${formatShape(sizes)}`);
  }
  let start = 0;
  return sizes.map((part) => {
    start += part;
    return narrow(x, at, start - part, part);
  });
}

function evenParts(all: number, size: number): number[] {
  checkCount("split", "a size", size);
  if (all === 0) return [0];
  return Array.from({ length: Math.ceil(all / size) }, (_, part) => Math.min(size, all - part * size));
}

function checkCount(operation: string, what: string, count: number): void {
  if (!Number.isInteger(count) || count < 1) {
    throw new OptionError(`${operation}: expected ${what} of at least 1, found ${count}`);
  }
}

/** At most `count` parts of `axis` of equal size (the last may be smaller). @throws OptionError */
export function chunk(x: Tensor, count: number, axis = 0): Tensor[] {
  checkCount("chunk", "a count", count);
  const at = normalizeAxis("chunk", axis, x.shape.length);
  const all = sizeOf(x.shape, at);
  // As PyTorch: an empty axis gives as many empty parts as were asked for.
  if (all === 0) return Array.from({ length: count }, () => x);
  return split(x, Math.ceil(all / count), at);
}

/**
 * Exactly `sections` parts of `axis`, the first ones larger by one where they cannot be equal; or the parts between
 * the places of a list, as in Python's x[a:b]. @throws OptionError
 */
export function tensorSplit(x: Tensor, sections: number | readonly number[], axis = 0): Tensor[] {
  const at = normalizeAxis("tensorSplit", axis, x.shape.length);
  const all = sizeOf(x.shape, at);
  if (typeof sections === "number") {
    checkCount("tensorSplit", "a count", sections);
    const small = Math.floor(all / sections);
    return split(x, Array.from({ length: sections }, (_, part) => small + Number(part < all % sections)), at); // prettier-ignore
  }
  const starts = [0, ...sections];
  return starts.map((start, part) =>
    x.slice(x.shape.map((_, i) => (i === at ? [start, sections[part] ?? null] : null))),
  );
}

/** The elements along `axis`, which goes away: x.shape[axis] tensors. */
export function unbind(x: Tensor, axis = 0): Tensor[] {
  const at = normalizeAxis("unbind", axis, x.shape.length);
  return Array.from({ length: sizeOf(x.shape, at) }, (_, i) => select(x, at, i));
}
