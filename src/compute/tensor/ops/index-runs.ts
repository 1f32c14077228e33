/** Indices brought in order, so that those that name one place stand together: for writing without atomics. */
import { filled } from "../operands.ts";
import { iotaTensor } from "../source.ts";
import type { Tensor } from "../tensor.ts";
import { gather } from "./gather.ts";
import { placesIn } from "./search-sorted.ts";
import { sortKeys } from "./sort-keys.ts";
import { firstPlaces } from "./sort-order.ts";

/** Of lines of indices [.., n] into axes of `size`. */
export interface IndexRuns {
  /** Where the sorted indices were: [.., n], int32. Equals keep their order. */
  readonly order: Tensor;
  /** [.., n], int32 */
  readonly sorted: Tensor;
  /** Which places some index names: [.., size], bool. */
  readonly isNamed: Tensor;
  /** For each place where its last index stands among the sorted ones: [.., size], int32; anything for others. */
  readonly last: Tensor;
}

/** Indices outside of the axis name no place. */
export function indexRuns(indices: Tensor, size: number): IndexRuns {
  const outer = indices.shape.slice(0, -1);
  const axis = outer.length;
  const count = indices.shape[axis] ?? 0;
  const keys = sortKeys(indices);
  const order = firstPlaces(keys, count);
  const sorted = count === 0 ? order : gather(keys, axis, order);
  if (count === 0) {
    const none = filled([...outer, size], 0, "int32");
    return { order, sorted, isNamed: none.cast("bool"), last: none };
  }
  const places = iotaTensor([...outer, size], axis);
  const last = placesIn(sorted, places, true).sub(1);
  return { order, sorted, last, isNamed: last.ge(0).logicalAnd(gather(sorted, axis, last).eq(places)) };
}
