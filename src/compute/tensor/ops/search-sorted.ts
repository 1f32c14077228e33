import { ShapeError } from "../../../base/errors.ts";
import { formatShape, sameShape } from "../../layout/shape.ts";
import { commonDType, filled } from "../operands.ts";
import type { Operand } from "../operands.ts";
import type { Tensor } from "../tensor.ts";
import { castTo } from "./cast.ts";
import { gather } from "./gather.ts";
import { sortKeys } from "./sort-keys.ts";

/** Options of `searchSorted` and `bucketize`. */
export interface SearchOptions {
  /** Count the elements that are equal, too. */
  readonly right?: boolean;
}

/**
 * For each value the number of elements of a sorted line that are smaller (not greater, for `right`): the place where
 * it could be put in. Lines [.., n] with values [.., m] of the same leading axes, or one line [n] with values of any
 * shape -> int32 in the values' shape. NaN is greater than all numbers. By bisection: log2(n) loads a value. @throws ShapeError
 */
export function searchSorted(sorted: Tensor, values: Operand, { right = false }: SearchOptions = {}): Tensor {
  const sought = typeof values === "number" ? filled([], values, commonDType(sorted, values)) : values;
  const dtype = commonDType(sorted, sought);
  if (sorted.shape.length === 1) {
    const line = placesIn(sortKeys(castTo(sorted, dtype)), sortKeys(castTo(sought, dtype).reshape([-1])), right);
    return line.reshape(sought.shape);
  }
  if (sorted.shape.length === 0 || !sameShape(sorted.shape.slice(0, -1), sought.shape.slice(0, -1))) {
    throw new ShapeError(
      `searchSorted: expected lines [.., n] and values [.., m], found ${formatShape(sorted.shape)} and ${formatShape(sought.shape)}`,
    );
  }
  return placesIn(sortKeys(castTo(sorted, dtype)), sortKeys(castTo(sought, dtype)), right);
}

/**
 * In which of the intervals between sorted `boundaries` [n] each element lies, int32: the i with
 * boundaries[i - 1] < x <= boundaries[i]; for `right`, boundaries[i - 1] <= x < boundaries[i]. @throws ShapeError
 */
export function bucketize(x: Operand, boundaries: Tensor, options: SearchOptions = {}): Tensor {
  if (boundaries.shape.length !== 1) {
    throw new ShapeError(`bucketize: expected boundaries [n], found ${formatShape(boundaries.shape)}`);
  }
  return searchSorted(boundaries, x, options);
}

/** How many of the sorted integers [.., n] are less than (not greater than, for `right`) each of [.., m]. */
export function placesIn(sorted: Tensor, sought: Tensor, right: boolean): Tensor {
  const size = sorted.shape.at(-1) ?? 0;
  let place: Tensor = filled(sought.shape, 0, "int32");
  if (size === 0) return place;
  const axis = sorted.shape.length - 1;
  for (let step = 2 ** Math.floor(Math.log2(size)); step >= 1; step /= 2) {
    const more = place.add(step);
    const last = gather(sorted, axis, more.sub(1));
    const isBefore = right ? last.le(sought) : last.lt(sought);
    place = more.le(size).logicalAnd(isBefore).where(more, place);
  }
  return place;
}
