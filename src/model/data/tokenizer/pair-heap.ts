/** Pairs by count: the most frequent on top, the smallest pair among equals. A binary heap. */

export interface CountedPair {
  readonly count: number;
  readonly pair: number;
}

export class PairHeap {
  readonly #items: CountedPair[] = [];

  push(count: number, pair: number): void {
    const items = this.#items;
    const item = { count, pair };
    let at = items.push(item) - 1;
    while (at > 0) {
      const parent = (at - 1) >>> 1;
      const above = items[parent] as CountedPair;
      if (!isBefore(item, above)) break;
      items[at] = above;
      at = parent;
    }
    items[at] = item;
  }

  /** The top; null when there is none. */
  pop(): CountedPair | null {
    const items = this.#items;
    const top = items[0];
    const last = items.pop();
    if (top === undefined || last === undefined) return null;
    if (items.length === 0) return top;
    let at = 0;
    for (;;) {
      let child = 2 * at + 1;
      const right = items[child + 1];
      if (right !== undefined && isBefore(right, items[child] as CountedPair)) child += 1;
      const below = items[child];
      if (below === undefined || !isBefore(below, last)) break;
      items[at] = below;
      at = child;
    }
    items[at] = last;
    return top;
  }
}

function isBefore(a: CountedPair, b: CountedPair): boolean {
  return a.count > b.count || (a.count === b.count && a.pair < b.pair);
}
