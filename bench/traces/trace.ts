/** What was asked of an allocator, as a file: `{ "sizes": [...], "events": [...] }`. */
import { present } from "../../src/base/assert.ts";

/**
 * Event n >= 0 takes `sizes[n]` bytes; -n gives back what the n-th last event that took something took, so that steps
 * that repeat themselves look alike.
 */
export interface Trace {
  readonly sizes: readonly number[];
  readonly events: readonly number[];
}

/** A take of `bytes`, or a give of what the take before with that number took. */
export type TraceOperation =
  | { readonly kind: "take"; readonly id: number; readonly bytes: number }
  | { readonly kind: "give"; readonly id: number };

export function operationsOf({ sizes, events }: Trace): TraceOperation[] {
  let taken = 0;
  return events.map((event): TraceOperation => {
    if (event < 0) return { kind: "give", id: taken + event };
    return { kind: "take", id: taken++, bytes: present(sizes[event], "operationsOf: a size") };
  });
}

/** Writes a trace down while it happens. */
export class TraceRecorder<T> {
  readonly #sizes: number[] = [];
  readonly #events: number[] = [];
  readonly #takenAt = new Map<T, number>();
  #taken = 0;
  #depth = 0;

  /** What `make` makes, which may itself ask for what is recorded: that is not told again. */
  take(bytes: number, make: () => T): T {
    this.#depth++;
    const thing = make();
    this.#depth--;
    if (this.#depth > 0) return thing;
    const known = this.#sizes.indexOf(bytes);
    this.#events.push(known < 0 ? this.#sizes.push(bytes) - 1 : known);
    this.#takenAt.set(thing, this.#taken++);
    return thing;
  }

  give(thing: T): void {
    const at = this.#takenAt.get(thing);
    if (at === undefined) return;
    this.#takenAt.delete(thing);
    this.#events.push(at - this.#taken);
  }

  text(): string {
    return `${JSON.stringify({ sizes: this.#sizes, events: this.#events } satisfies Trace)}\n`;
  }
}
