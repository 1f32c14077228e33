/** Places of values that share memory, given one after the other: what each order of values comes to. */
import { present } from "../../base/assert.ts";

/** A value's memory is its own from step `first` to step `last`, both included. */
export interface Lifetime {
  readonly bytes: number;
  readonly first: number;
  readonly last: number;
}

/** Which gap a value takes among those that it fits in: the smallest, or the lowest. */
export type Fit = "tightest" | "lowest";

export interface Packing {
  /** By value. */
  readonly places: readonly { readonly block: number; readonly offset: number }[];
  readonly blockBytes: readonly number[];
  readonly totalBytes: number;
  /** Places that were looked at: what it cost. */
  readonly looks: number;
}

/** Packs `values` in the given order, in blocks of at most `blockBytesMax` unless a value alone is larger. */
export function pack(values: readonly Lifetime[], order: readonly number[], fit: Fit, blockBytesMax: number): Packing {
  const blocks: Block[] = [];
  const places = values.map(() => ({ block: 0, offset: 0 }));
  let looks = 0;
  for (const value of order) {
    const lifetime = present(values[value], "pack: a value of the order");
    let block = 0;
    let offset = 0;
    for (; block < blocks.length; block++) {
      const others = present(blocks[block], "pack: a block");
      offset = others.gapFor(lifetime, fit);
      looks += others.count;
      if (offset + lifetime.bytes <= blockBytesMax) break;
    }
    if (block === blocks.length) offset = 0;
    (blocks[block] ??= new Block(values.length)).add(lifetime, offset);
    places[value] = { block, offset };
  }
  const blockBytes = blocks.map(({ bytes }) => bytes);
  return { places, blockBytes, totalBytes: blockBytes.reduce((sum, bytes) => sum + bytes, 0), looks };
}

/** What lies in a block, in the order of places; in columns, since looking through them is all that packing does. */
class Block {
  count = 0;
  bytes = 0;
  readonly #starts: Float64Array;
  readonly #ends: Float64Array;
  readonly #firsts: Float64Array;
  readonly #lasts: Float64Array;

  constructor(countMax: number) {
    this.#starts = new Float64Array(countMax);
    this.#ends = new Float64Array(countMax);
    this.#firsts = new Float64Array(countMax);
    this.#lasts = new Float64Array(countMax);
  }

  /** The start of the gap that a value takes between those that live with it; else the end of the last of them. */
  gapFor({ bytes, first, last }: Lifetime, fit: Fit): number {
    const [starts, ends, firsts, lasts] = [this.#starts, this.#ends, this.#firsts, this.#lasts];
    let end = 0;
    let best = -1;
    let bestBytes = Infinity;
    for (let at = 0; at < this.count; at++) {
      if ((lasts[at] ?? 0) < first || last < (firsts[at] ?? 0)) continue;
      const gap = (starts[at] ?? 0) - end;
      if (gap >= bytes && gap < bestBytes) {
        if (fit === "lowest") return end;
        best = end;
        bestBytes = gap;
      }
      end = Math.max(end, ends[at] ?? 0);
    }
    return best < 0 ? end : best;
  }

  add({ bytes, first, last }: Lifetime, offset: number): void {
    const at = this.#countBelow(offset);
    insert(this.#starts, at, this.count, offset);
    insert(this.#ends, at, this.count, offset + bytes);
    insert(this.#firsts, at, this.count, first);
    insert(this.#lasts, at, this.count, last);
    this.count++;
    this.bytes = Math.max(this.bytes, offset + bytes);
  }

  #countBelow(offset: number): number {
    let low = 0;
    let high = this.count;
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((this.#starts[middle] ?? 0) < offset) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}

function insert(column: Float64Array, at: number, count: number, value: number): void {
  column.copyWithin(at + 1, at, count);
  column[at] = value;
}
