/** Virtual time: events in order of their moment, ties in order of making. */
import { assert } from "../../src/base/assert.ts";
import { Random } from "../../src/base/random.ts";

interface Entry {
  readonly atMs: number;
  readonly order: number;
  readonly run: () => void;
}

/** A clock that jumps from event to event, and the run's only source of chance. */
export class World {
  nowMs = 0;
  readonly random: Random;
  #queue: Entry[] = [];
  #order = 0;

  constructor(seed: number) {
    this.random = new Random(seed, "simulation");
  }

  /** Runs `run` after `delayMs`. */
  after(delayMs: number, run: () => void): void {
    assert(delayMs >= 0, `World.after: ${delayMs} ms`);
    this.#push({ atMs: this.nowMs + delayMs, order: this.#order++, run });
  }

  /** A number in [from, to). */
  between(from: number, to: number): number {
    return from + (to - from) * this.random.uniform();
  }

  chance(probability: number): boolean {
    return this.random.uniform() < probability;
  }

  /** Runs events until `until` or until `isDone`. */
  run(untilMs: number, isDone: () => boolean): void {
    while (!isDone()) {
      const next = this.#queue[0];
      if (!next || next.atMs > untilMs) return;
      this.#pop();
      this.nowMs = next.atMs;
      next.run();
    }
  }

  #push(entry: Entry): void {
    const queue = this.#queue;
    let at = queue.push(entry) - 1;
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if (!isBefore(entry, queue[parent] as Entry)) break;
      queue[at] = queue[parent] as Entry;
      at = parent;
    }
    queue[at] = entry;
  }

  #pop(): void {
    const queue = this.#queue;
    const last = queue.pop() as Entry;
    if (queue.length === 0) return;
    let at = 0;
    for (;;) {
      let child = 2 * at + 1;
      if (child >= queue.length) break;
      if (child + 1 < queue.length && isBefore(queue[child + 1] as Entry, queue[child] as Entry)) child += 1;
      if (!isBefore(queue[child] as Entry, last)) break;
      queue[at] = queue[child] as Entry;
      at = child;
    }
    queue[at] = last;
  }
}

function isBefore(a: Entry, b: Entry): boolean {
  return a.atMs < b.atMs || (a.atMs === b.atMs && a.order < b.order);
}
