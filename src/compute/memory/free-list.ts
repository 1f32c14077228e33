/** Things of known size that wait to be used again. Pure bookkeeping: whoever calls makes them and ends them. */

/** Small sizes are rounded to this. */
const STEP_BYTES = 256;
/** Larger ones to a fraction of the power of two below them, so that little is wasted and much fits again. */
const STEPS_PER_DOUBLING = 8;

/** The size to allocate for `bytes`: sizes that are near each other become one. */
export function roundedBytes(bytes: number): number {
  const power = 2 ** Math.floor(Math.log2(Math.max(bytes, 1)));
  const step = Math.max(STEP_BYTES, power / STEPS_PER_DOUBLING);
  return Math.max(STEP_BYTES, Math.ceil(bytes / step) * step);
}

/** Free things by size, up to a total; the last one freed is the first used again. */
export class FreeList<T> {
  readonly #bytesMax: number;
  readonly #bySize = new Map<number, T[]>();
  #bytes = 0;

  constructor(bytesMax: number) {
    this.#bytesMax = bytesMax;
  }

  /** Bytes that wait. */
  get bytes(): number {
    return this.#bytes;
  }

  /** One of exactly this size, which is the caller's from now on. */
  take(bytes: number): T | undefined {
    const thing = this.#bySize.get(bytes)?.pop();
    if (thing !== undefined) this.#bytes -= bytes;
    return thing;
  }

  /** False when the list is full, and the caller has to end it. */
  give(thing: T, bytes: number): boolean {
    if (this.#bytes + bytes > this.#bytesMax) return false;
    const things = this.#bySize.get(bytes) ?? [];
    this.#bySize.set(bytes, things);
    things.push(thing);
    this.#bytes += bytes;
    return true;
  }

  /** All that wait, which are the caller's from now on. */
  drain(): T[] {
    const all = [...this.#bySize.values()].flat();
    this.#bySize.clear();
    this.#bytes = 0;
    return all;
  }
}
