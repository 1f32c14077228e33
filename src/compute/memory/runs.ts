/**
 * Runs of units in a few spans: best fit, neighbours join, a run never crosses a span. Pure bookkeeping.
 *
 * Free runs of one size are a list, and a `SizeSet` says which sizes there are; each run has its size at both of its
 * ends (boundary tags: Knuth, The Art of Computer Programming, volume 1, section 2.5). Taking costs a step for each five
 * bits of the longest span, giving a constant, and neither makes garbage (messages too are made only where they are
 * needed). The same calls give the same places.
 */
import { assert } from "../../base/assert.ts";
import { SizeSet } from "./size-set.ts";

/** Of a unit that a run starts with; 0 for all others. */
const FREE = 1;
const TAKEN = 2;
/** Besides, of the unit that a span starts with. */
const SPAN = 4;

const NONE = -1;

export class Runs {
  #states = new Uint8Array(0);
  /** Of the run, at its first and at its last unit. */
  #sizes = new Int32Array(0);
  /** The list of free runs of one size, by their first units. */
  #next = new Int32Array(0);
  #previous = new Int32Array(0);
  #firstOfSize = new Int32Array(0);
  #freeSizes = new SizeSet(0);
  readonly #spans = new Map<number, number>();
  /** Where removed spans were, by their size. */
  readonly #holes = new Map<number, number[]>();
  #end = 0;
  #freeUnits = 0;

  get freeUnits(): number {
    return this.#freeUnits;
  }

  /** Units of the longest free run; 0 when nothing is free. */
  get largestFree(): number {
    return Math.max(0, this.#freeSizes.greatest());
  }

  /** The first unit of a span, all free. Where only spans of one size are added, they lie at its multiples. */
  addSpan(units: number): number {
    const isSize = Number.isInteger(units) && units >= 1;
    if (!isSize) assert(false, `Runs.addSpan: expected 1 unit or more, found ${units}`);
    const start = this.#holes.get(units)?.pop() ?? this.#end;
    this.#end = Math.max(this.#end, start + units);
    this.#grow(units);
    this.#spans.set(start, units);
    this.#states[start] = SPAN;
    this.#link(start, units);
    this.#freeUnits += units;
    return start;
  }

  /** Takes out the span that starts with `start`, of which all must be free. */
  removeSpan(start: number): void {
    const units = this.#spans.get(start);
    if (units === undefined) assert(false, `Runs.removeSpan: expected the first unit of a span, found ${start}`);
    const isFree = this.isFreeAt(start) && this.sizeAt(start) === units;
    if (!isFree) assert(false, `Runs.removeSpan: expected the span at ${start} to be free, found a run that is taken`);
    this.#unlink(start);
    this.#states[start] = 0;
    this.#spans.delete(start);
    this.#freeUnits -= units;
    const holes = this.#holes.get(units) ?? [];
    this.#holes.set(units, holes);
    holes.push(start);
  }

  /** The first unit of a run that is the caller's from now on, in the shortest free run that is long enough. */
  take(size: number): number | undefined {
    const isSize = Number.isInteger(size) && size >= 1;
    if (!isSize) assert(false, `Runs.take: expected 1 unit or more, found ${size}`);
    const fit = this.#freeSizes.atLeast(size);
    if (fit < 0) return undefined;
    const start = this.#firstOfSize[fit] ?? NONE;
    this.#takeFront(start, size);
    return start;
  }

  /** Takes the first `size` units of the free run that starts with `start`. */
  takeAt(start: number, size: number): void {
    const isThere = this.isFreeAt(start) && this.sizeAt(start) >= size && size >= 1;
    if (!isThere)
      assert(false, `Runs.takeAt: expected a free run of ${size} or more at ${start}, found ${this.#describe(start)}`);
    this.#takeFront(start, size);
  }

  /** Gives the run that starts with `start` back. */
  give(start: number): void {
    const isTaken = ((this.#states[start] ?? 0) & TAKEN) !== 0;
    if (!isTaken)
      assert(false, `Runs.give: expected the start of a taken run, found ${start}, ${this.#describe(start)}`);
    const size = this.sizeAt(start);
    this.#freeUnits += size;
    let first = start;
    let last = start + size - 1;
    const after = last + 1;
    if (this.#states[after] === FREE) {
      last += this.sizeAt(after);
      this.#unlink(after);
      this.#states[after] = 0;
    }
    if (((this.#states[start] ?? 0) & SPAN) === 0) {
      const before = start - this.sizeAt(start - 1);
      if (this.isFreeAt(before)) {
        this.#unlink(before);
        this.#states[start] = 0;
        first = before;
      }
    }
    this.#link(first, last - first + 1);
  }

  /** Units of the run that starts or ends with `unit`. */
  sizeAt(unit: number): number {
    return this.#sizes[unit] ?? 0;
  }

  /** Whether a free run starts with `unit`. */
  isFreeAt(unit: number): boolean {
    return ((this.#states[unit] ?? 0) & FREE) !== 0;
  }

  #takeFront(start: number, size: number): void {
    const rest = this.sizeAt(start) - size;
    this.#unlink(start);
    if (rest > 0) this.#link(start + size, rest);
    this.#states[start] = ((this.#states[start] ?? 0) & SPAN) | TAKEN;
    this.#setSize(start, size);
    this.#freeUnits -= size;
  }

  /** Makes [start, start + size) a free run, the first of its size. */
  #link(start: number, size: number): void {
    this.#states[start] = ((this.#states[start] ?? 0) & SPAN) | FREE;
    this.#setSize(start, size);
    const next = this.#firstOfSize[size] ?? NONE;
    this.#next[start] = next;
    this.#previous[start] = NONE;
    if (next === NONE) this.#freeSizes.add(size);
    else this.#previous[next] = start;
    this.#firstOfSize[size] = start;
  }

  #unlink(start: number): void {
    const size = this.sizeAt(start);
    const next = this.#next[start] ?? NONE;
    const previous = this.#previous[start] ?? NONE;
    if (next !== NONE) this.#previous[next] = previous;
    if (previous !== NONE) this.#next[previous] = next;
    else {
      this.#firstOfSize[size] = next;
      if (next === NONE) this.#freeSizes.remove(size);
    }
  }

  #setSize(start: number, size: number): void {
    this.#sizes[start] = size;
    this.#sizes[start + size - 1] = size;
  }

  /** Room for all units there are, and for runs as long as `size`. */
  #grow(size: number): void {
    if (this.#end > this.#states.length) {
      const length = Math.max(this.#end, 2 * this.#states.length);
      this.#states = lengthened(this.#states, new Uint8Array(length));
      this.#sizes = lengthened(this.#sizes, new Int32Array(length));
      this.#next = lengthened(this.#next, new Int32Array(length));
      this.#previous = lengthened(this.#previous, new Int32Array(length));
    }
    if (size < this.#firstOfSize.length) return;
    this.#firstOfSize = lengthened(this.#firstOfSize, new Int32Array(size + 1).fill(NONE));
    this.#freeSizes = new SizeSet(size);
    for (const [known, first] of this.#firstOfSize.entries()) if (first !== NONE) this.#freeSizes.add(known);
  }

  #describe(unit: number): string {
    const state = (this.#states[unit] ?? 0) & ~SPAN;
    if (state === 0) return "where no run starts";
    return `the start of a ${state === FREE ? "free" : "taken"} run of ${this.sizeAt(unit)}`;
  }
}

function lengthened<T extends Uint8Array | Int32Array>(old: T, longer: T): T {
  longer.set(old);
  return longer;
}
