import { sizeOf } from "../shapes.ts";
import type { Tensor } from "../tensor.ts";
import { padWith } from "./pad.ts";

/**
 * `x` moved along `axis` by `by` places, |by| at most its size, with `value` where nothing came: toward higher indices
 * for by > 0. Shape: the same.
 */
export function shift(x: Tensor, axis: number, by: number, value: number): Tensor {
  const size = sizeOf(x.shape, axis);
  const kept = x.slice(x.shape.map((_, i) => (i !== axis ? null : by > 0 ? [0, size - by] : [-by, size]))); // prettier-ignore
  const at = (count: number): number[] => x.shape.map((_, i) => (i === axis ? count : 0));
  return padWith(kept, { low: at(Math.max(by, 0)), high: at(Math.max(-by, 0)), interior: at(0), value });
}
