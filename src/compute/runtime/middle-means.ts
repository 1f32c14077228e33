/**
 * What repeated measurements come to: the mean of their middle half. A run that the machine disturbed does not count, as
 * with a median; and where a clock ticks more coarsely than a kernel runs, the mean of 0 and a tick says more than either.
 */

/** For each of `count` places, the middle mean of what `runs` have there; null where none has a number. */
export function middleMeans(runs: readonly (readonly (number | null)[])[], count: number): (number | null)[] {
  return Array.from({ length: count }, (_, place) => {
    const known = runs.map((run) => run[place]).filter((value) => typeof value === "number");
    known.sort((a, b) => a - b);
    // Of three the median is left, of five the middle three.
    const cut = Math.floor((known.length + 1) / 4);
    const middle = known.slice(cut, known.length - cut);
    return middle.length === 0 ? null : middle.reduce((sum, value) => sum + value, 0) / middle.length;
  });
}
