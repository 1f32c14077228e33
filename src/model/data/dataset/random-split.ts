/** Cutting a dataset at random into parts that share no example. */
import { OptionError } from "../../../base/errors.ts";
import type { Dataset } from "./dataset.ts";
import { permutation } from "./permutation.ts";
import { Subset } from "./subset.ts";

/** Options of `randomSplit`. */
export interface RandomSplitOptions {
  /** The same seed gives the same parts on every machine. 0 by default. */
  readonly seed?: number | string;
}

/**
 * Parts of the given lengths, which add up to the dataset's; or of given fractions, which add up to 1: each is rounded
 * down, and what is left goes to the first parts, one example each. @throws OptionError
 */
export function randomSplit<T>(
  dataset: Dataset<T>,
  lengths: readonly number[],
  { seed = 0 }: RandomSplitOptions = {},
): Subset<T>[] {
  const counts = countsOf(dataset.length, lengths);
  const order = permutation(dataset.length, seed, "split");
  let start = 0;
  return counts.map((count) => {
    const from = start;
    start += count;
    return new Subset(
      dataset,
      Float64Array.from({ length: count }, (_, i) => order(from + i)),
    );
  });
}

function countsOf(total: number, lengths: readonly number[]): number[] {
  const sum = lengths.reduce((left, right) => left + right, 0);
  const isWhole = lengths.every((length) => Number.isInteger(length) && length >= 0);
  if (isWhole && sum === total) return [...lengths];
  const isFractions = lengths.every((fraction) => fraction >= 0 && fraction <= 1) && Math.abs(sum - 1) < 1e-6;
  if (!isFractions) {
    throw new OptionError(
      `randomSplit: expected lengths that add up to ${total} or fractions that add up to 1, found ${lengths.join(", ")}`,
    );
  }
  const counts = lengths.map((fraction) => Math.floor(fraction * total));
  let left = total - counts.reduce((a, b) => a + b, 0);
  for (let i = 0; left > 0; i = (i + 1) % counts.length) {
    counts[i] = (counts[i] ?? 0) + 1;
    left -= 1;
  }
  for (let i = counts.length - 1; left < 0; i--) {
    const taken = Math.min(counts[i] ?? 0, -left);
    counts[i] = (counts[i] ?? 0) - taken;
    left += taken;
  }
  return counts;
}
