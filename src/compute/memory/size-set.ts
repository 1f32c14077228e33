/** A set of small whole numbers that answers "the least one of at least n" in a step for each five bits of the largest. */

/** A word holds 32 numbers; the word above has a bit for each word that is not empty. */
const WORD_BITS = 5;
const BIT_MASK = 31;

export class SizeSet {
  /** The numbers first; the last level is a single word. */
  readonly #levels: Int32Array[] = [];

  /** For numbers from 0 to `max`. */
  constructor(max: number) {
    let words = max + 1;
    do {
      words = Math.ceil(words / 32);
      this.#levels.push(new Int32Array(words));
    } while (words > 1);
  }

  add(size: number): void {
    let at = size;
    for (const level of this.#levels) {
      const word = at >>> WORD_BITS;
      const before = level[word] ?? 0;
      level[word] = before | (1 << (at & BIT_MASK));
      if (before !== 0) return;
      at = word;
    }
  }

  remove(size: number): void {
    let at = size;
    for (const level of this.#levels) {
      const word = at >>> WORD_BITS;
      const after = (level[word] ?? 0) & ~(1 << (at & BIT_MASK));
      level[word] = after;
      if (after !== 0) return;
      at = word;
    }
  }

  /** The least number in the set that is `size` or more; -1 if there is none. */
  atLeast(size: number): number {
    let at = size;
    for (let level = 0; level < this.#levels.length; level++) {
      const word = at >>> WORD_BITS;
      const rest = (this.#levels[level]?.[word] ?? 0) & (-1 << (at & BIT_MASK));
      if (rest !== 0) return this.#leastBelow(level, word * 32 + lowestBit(rest));
      at = word + 1;
    }
    return -1;
  }

  /** The greatest number in the set; -1 if it is empty. */
  greatest(): number {
    let at = 0;
    for (let level = this.#levels.length - 1; level >= 0; level--) {
      const word = this.#levels[level]?.[at] ?? 0;
      if (word === 0) return -1;
      at = at * 32 + 31 - Math.clz32(word);
    }
    return at;
  }

  #leastBelow(from: number, found: number): number {
    let at = found;
    for (let level = from - 1; level >= 0; level--) at = at * 32 + lowestBit(this.#levels[level]?.[at] ?? 0);
    return at;
  }
}

function lowestBit(word: number): number {
  return 31 - Math.clz32(word & -word);
}
