/**
 * Free ranges of a piece of memory: best fit, neighbours join. Pure bookkeeping, in units of the caller's.
 *
 * Ranges are kept in order of their place; taking looks at each of them, giving finds its place by halving.
 */
import { assert } from "../../base/assert.ts";

interface Range {
  start: number;
  size: number;
}

export class Ranges {
  readonly #free: Range[];
  readonly #size: number;
  #freeSize: number;

  /** All of [0, size) is free. */
  constructor(size: number) {
    this.#size = size;
    this.#freeSize = size;
    this.#free = [{ start: 0, size }];
  }

  get freeSize(): number {
    return this.#freeSize;
  }

  get isAllFree(): boolean {
    return this.#freeSize === this.#size;
  }

  /** The start of a range that is the caller's from now on: in the smallest free range that is large enough. */
  take(size: number): number | undefined {
    let best: Range | undefined;
    for (const range of this.#free) {
      if (range.size >= size && (best === undefined || range.size < best.size)) best = range;
      if (range.size === size) break;
    }
    if (best === undefined) return undefined;
    const { start } = best;
    best.start += size;
    best.size -= size;
    this.#freeSize -= size;
    if (best.size === 0) this.#free.splice(this.#free.indexOf(best), 1);
    return start;
  }

  /** Gives [start, start + size) back. */
  give(start: number, size: number): void {
    const at = this.#placeOf(start);
    const before = this.#free[at - 1];
    const after = this.#free[at];
    const fits = (before === undefined || before.start + before.size <= start) && start + size <= this.#size;
    const isTaken = fits && (after === undefined || start + size <= after.start);
    assert(isTaken, `Ranges.give: expected a range that is taken, found [${start}, ${start + size})`);
    this.#freeSize += size;
    const joinsBefore = before !== undefined && before.start + before.size === start;
    const joinsAfter = after !== undefined && start + size === after.start;
    if (joinsBefore && joinsAfter) {
      before.size += size + after.size;
      this.#free.splice(at, 1);
    } else if (joinsBefore) {
      before.size += size;
    } else if (joinsAfter) {
      after.start = start;
      after.size += size;
    } else {
      this.#free.splice(at, 0, { start, size });
    }
  }

  /** The number of free ranges that start before `start`. */
  #placeOf(start: number): number {
    let low = 0;
    let high = this.#free.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((this.#free[middle]?.start ?? 0) < start) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
