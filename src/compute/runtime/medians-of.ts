/** Medians of repeated measurements: one run that the machine disturbed does not count. */

/** For each of `count` places, the median of what `runs` have there; null where none has a number. */
export function mediansOf(runs: readonly (readonly (number | null)[])[], count: number): (number | null)[] {
  return Array.from({ length: count }, (_, place) => {
    const known = runs.map((run) => run[place]).filter((value) => typeof value === "number");
    known.sort((a, b) => a - b);
    const upper = known[Math.floor(known.length / 2)];
    const lower = known[Math.floor((known.length - 1) / 2)];
    return upper === undefined || lower === undefined ? null : (lower + upper) / 2;
  });
}
