/** How much is in memory at each action of a plan, and from when to when each value is. */
import { makesOf, readsOf, type Action } from "./actions.ts";
import type { StepModel } from "./step-model.ts";

/** A value in memory, from the action that puts it there to the last one that reads it, or moves it out. */
export interface Life {
  readonly value: number;
  readonly first: number;
  readonly last: number;
  /** The end of the life before, of the same value; -1 if it is the first one. */
  readonly before: number;
}

/** A plan's use of memory. */
export interface Alive {
  readonly lives: readonly Life[];
  /** Bytes at each action, and after the last one. */
  readonly bytes: Float64Array;
  /** The most of them; Infinity where something is read that is not there. */
  readonly mostBytes: number;
}

/** What is alive when. Linear in the reads. */
export function aliveIn(model: StepModel, actions: readonly Action[]): Alive {
  const tracker = new Tracker(model);
  for (const [at, action] of actions.entries()) tracker.act(action, at);
  return tracker.end(actions.length);
}

class Tracker {
  readonly #model: StepModel;
  readonly #lives: Life[] = [];
  readonly #extra: { readonly at: number; readonly bytes: number }[] = [];
  /** Where each value's present life began and was read last, and where the one before ended; -1 for none. */
  readonly #first: Int32Array;
  readonly #last: Int32Array;
  readonly #before: Int32Array;
  #isBroken = false;

  constructor(model: StepModel) {
    this.#model = model;
    [this.#first, this.#last, this.#before] = [0, 1, 2].map(() => new Int32Array(model.values.length).fill(-1)) as [
      Int32Array,
      Int32Array,
      Int32Array,
    ];
  }

  act(action: Action, at: number): void {
    for (const value of readsOf(this.#model, action)) {
      if (this.#first[value] === -1) this.#isBroken = true;
      this.#last[value] = at;
    }
    for (const value of makesOf(this.#model, action)) {
      this.#close(value);
      this.#first[value] = at;
      this.#last[value] = at;
    }
    if (action.kind === "offload") this.#close(action.value);
    if (action.kind !== "rerun") return;
    // What a kernel stores into results or leaves is stored once more, and not read.
    const { storedBytes, outputs } = this.#model.work(action.work);
    this.#extra.push({ at, bytes: storedBytes - this.#model.bytesOf(outputs) });
  }

  end(length: number): Alive {
    for (const [value, { uses }] of this.#model.values.entries()) {
      if (uses.at(-1) === this.#model.steps.length) this.#last[value] = length;
      this.#close(value);
    }
    const bytes = new Float64Array(length + 2);
    const add = (at: number, change: number): void => {
      bytes[at] = (bytes[at] ?? 0) + change;
    };
    for (const { value, first, last } of this.#lives) {
      add(first, this.#model.value(value).bytes);
      add(last + 1, -this.#model.value(value).bytes);
    }
    for (const extra of this.#extra) {
      add(extra.at, extra.bytes);
      add(extra.at + 1, -extra.bytes);
    }
    for (let at = 1; at < bytes.length; at++) add(at, bytes[at - 1] ?? 0);
    const mostBytes = this.#isBroken ? Infinity : bytes.reduce((most, here) => Math.max(most, here), 0);
    return { lives: this.#lives, bytes, mostBytes };
  }

  #close(value: number): void {
    const [first = -1, last = -1, before = -1] = [this.#first[value], this.#last[value], this.#before[value]];
    if (first === -1) return;
    this.#lives.push({ value, first, last, before });
    this.#before[value] = last;
    this.#first[value] = -1;
  }
}
