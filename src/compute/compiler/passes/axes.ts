/** Small questions about axes that several tables ask. */
import type { Shape } from "../ir.ts";

/** The entry of an axis that is known to be there. */
export function at(list: readonly number[], axis: number): number {
  return list[axis] ?? 1;
}

/** The axes whose size is not 1. */
export function wideAxes(shape: Shape): number[] {
  return shape.flatMap((size, axis) => (size === 1 ? [] : [axis]));
}

export function isAscending(list: readonly number[]): boolean {
  return list.every((value, i) => i === 0 || (list[i - 1] ?? 0) < value);
}
