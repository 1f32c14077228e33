/** A queue of merges: the smallest rank first, the leftmost place first among equals. A binary heap of doubles. */

/** Places are below this; ranks below 2^27, so that both fit into one double exactly. */
export const PLACES_MAX: number = 2 ** 24;

export class MergeQueue {
  #keys = new Float64Array(64);
  #length = 0;

  get isEmpty(): boolean {
    return this.#length === 0;
  }

  push(rank: number, place: number): void {
    if (this.#length === this.#keys.length) {
      const grown = new Float64Array(this.#keys.length * 2);
      grown.set(this.#keys);
      this.#keys = grown;
    }
    const keys = this.#keys;
    const key = rank * PLACES_MAX + place;
    let at = this.#length++;
    while (at > 0) {
      const parent = (at - 1) >>> 1;
      const above = keys[parent] ?? 0;
      if (above <= key) break;
      keys[at] = above;
      at = parent;
    }
    keys[at] = key;
  }

  /** The smallest, as [rank, place]. Not of an empty queue. */
  pop(): [rank: number, place: number] {
    const keys = this.#keys;
    const top = keys[0] ?? 0;
    const last = keys[--this.#length] ?? 0;
    let at = 0;
    for (;;) {
      let child = 2 * at + 1;
      if (child >= this.#length) break;
      if (child + 1 < this.#length && (keys[child + 1] ?? 0) < (keys[child] ?? 0)) child += 1;
      const below = keys[child] ?? 0;
      if (below >= last) break;
      keys[at] = below;
      at = child;
    }
    keys[at] = last;
    return [Math.floor(top / PLACES_MAX), top % PLACES_MAX];
  }
}
