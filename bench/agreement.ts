/** Whether two libraries computed the same. */

/** Between sums in other orders, and functions of the driver's own precision. */
const AGREEMENT_MAX = 1e-3;

/** The largest difference of one array from another, as a share of the largest value of `expected`; NaN where they do not compare. */
export function relativeDifference(expected: Float32Array, found: Float32Array): number {
  if (expected.length !== found.length) return Number.NaN;
  let [scale, difference] = [0, 0];
  for (const [i, value] of expected.entries()) {
    scale = Math.max(scale, Math.abs(value));
    difference = Math.max(difference, Math.abs(value - (found[i] ?? 0)));
    if (Number.isNaN(value) || Number.isNaN(found[i])) return Number.NaN;
  }
  return difference === 0 ? 0 : difference / scale;
}

/** The worst of several results; NaN where any does not compare. */
export function worstDifference(expected: readonly Float32Array[], found: readonly Float32Array[]): number {
  if (expected.length !== found.length) return Number.NaN;
  const differences = expected.map((array, i) => relativeDifference(array, found[i] ?? new Float32Array()));
  return differences.some(Number.isNaN) ? Number.NaN : Math.max(0, ...differences);
}

/** For the notes: a disagreement is to be seen. */
export function agreementOf(difference: number): string {
  if (difference <= AGREEMENT_MAX) return `agrees within ${difference === 0 ? "0" : difference.toExponential(0)}`;
  return Number.isNaN(difference)
    ? "DISAGREES: results that do not compare"
    : `DISAGREES by ${difference.toExponential(1)}`;
}
