/** Two shapes of the same elements in row-major order, axis by axis. */

/** Axes `from` to, not including, `fromEnd` of one shape hold what axes `to` to `toEnd` of the other do. */
export interface AxisGroup {
  readonly from: number;
  readonly fromEnd: number;
  readonly to: number;
  readonly toEnd: number;
}

/**
 * Both shapes in the smallest groups of axes that have equal sizes: [2, 3, 4] and [6, 4] are (2, 3 | 6) and (4 | 4).
 * Axes of size 1 at the end of `from` are in no group. Both must have the same count of elements, and not 0.
 */
export function axisGroups(from: readonly number[], to: readonly number[]): AxisGroup[] {
  const groups: AxisGroup[] = [];
  let start = 0;
  let end = 0;
  while (end < to.length) {
    const first = { from: start, to: end };
    let left = 1;
    let right = to[end++] ?? 1;
    while (left !== right) {
      if (left < right) left *= from[start++] ?? 1;
      else right *= to[end++] ?? 1;
    }
    groups.push({ ...first, fromEnd: start, toEnd: end });
  }
  return groups;
}
