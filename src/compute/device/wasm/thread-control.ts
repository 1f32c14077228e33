/**
 * How threads find work: a few words of shared memory, and the order in which they are read and written.
 *
 * The owner describes a dispatch, opens it, and takes part itself; whoever is there takes one chunk after another. It
 * closes the dispatch when no chunk is left, and goes on when nobody is inside any more. A thread that comes late looks
 * again whether it is open after it has said that it is inside: so either it sees that it is closed, or the owner sees it.
 */

import { systemClock } from "../../../base/clock.ts";
import { DeadlineError } from "../../../base/errors.ts";

/** What a dispatch is. */
export interface DispatchWords {
  /** Of the compiled module. */
  readonly kernel: number;
  readonly argumentsAt: number;
  readonly scratchAt: number;
  /** From one thread's scratch memory to the next one's. */
  readonly scratchStride: number;
  readonly from: number;
  readonly to: number;
  /** Invocations of a chunk. */
  readonly chunk: number;
}

/** Places of the words. */
const [OPEN, INSIDE, NEXT, FAILED, LEAVE, FIRST] = [0, 1, 2, 3, 4, 5] as const;
const ORDER = ["kernel", "argumentsAt", "scratchAt", "scratchStride", "from", "to", "chunk"] as const;

/** Bytes that the words take. */
export const CONTROL_BYTES: number = 4 * (FIRST + ORDER.length);

/** Looks at a word this often before it sleeps, which costs more than a short dispatch. */
const SPINS = 2_000;
/** A chunk takes some milliseconds; a helper that needs longer than this is gone, with its chunk. */
const HELPERS_MS_MAX = 30_000;
/** A sleeper looks by itself after so long, whatever it may have missed. */
const SLEEP_MS_MAX = 50;

/** Runs the invocations [from, to) of a dispatch. */
export type RunChunk = (words: DispatchWords, from: number, to: number) => void;

/** The words in one thread's eyes. */
export class ThreadControl {
  readonly #words: Int32Array;

  constructor(memory: WebAssembly.Memory, address: number) {
    this.#words = new Int32Array(memory.buffer, address, CONTROL_BYTES / 4);
  }

  /** The owner's: does all chunks of a dispatch, with whoever comes. True where a thread failed. */
  share(words: DispatchWords, run: RunChunk): boolean {
    for (const [i, name] of ORDER.entries()) this.#words[FIRST + i] = words[name];
    Atomics.store(this.#words, NEXT, 0);
    Atomics.store(this.#words, FAILED, 0);
    Atomics.store(this.#words, OPEN, 1);
    Atomics.notify(this.#words, OPEN);
    try {
      this.#takeChunks(words, run);
    } finally {
      Atomics.store(this.#words, OPEN, 0);
      this.#waitWhile(INSIDE, (inside) => inside !== 0, HELPERS_MS_MAX);
    }
    return Atomics.load(this.#words, FAILED) !== 0;
  }

  /** The owner's: threads go back to their messages; the number that tells them so. */
  recall(): number {
    const number = Atomics.add(this.#words, LEAVE, 1) + 1;
    Atomics.notify(this.#words, OPEN);
    return number;
  }

  /** A thread's: works on the kernels that it knows until the owner recalls with another number. */
  work(number: number, knows: (kernel: number) => boolean, run: RunChunk): void {
    const isToWait = (open: number): boolean => {
      if (Atomics.load(this.#words, LEAVE) !== number) return false;
      return open === 0 || this.#isTaken() || !knows(this.#read().kernel);
    };
    while (Atomics.load(this.#words, LEAVE) === number) {
      Atomics.add(this.#words, INSIDE, 1);
      try {
        if (Atomics.load(this.#words, OPEN) !== 0) {
          const words = this.#read();
          if (knows(words.kernel)) this.#takeChunks(words, run);
        }
      } catch (error) {
        Atomics.store(this.#words, FAILED, 1);
        throw error;
      } finally {
        Atomics.sub(this.#words, INSIDE, 1);
        Atomics.notify(this.#words, INSIDE);
      }
      this.#waitWhile(OPEN, isToWait);
    }
  }

  #read(): DispatchWords {
    const words = ORDER.map((name, i) => [name, this.#words[FIRST + i] ?? 0] as const);
    return Object.fromEntries(words) as unknown as DispatchWords;
  }

  #takeChunks(words: DispatchWords, run: RunChunk): void {
    const { from, to, chunk } = words;
    for (;;) {
      const start = from + Atomics.add(this.#words, NEXT, 1) * chunk;
      if (start >= to) return;
      run(words, start, Math.min(to, start + chunk));
    }
  }

  /** True where no chunk of the dispatch is left. */
  #isTaken(): boolean {
    const { from, to, chunk } = this.#read();
    return from + Atomics.load(this.#words, NEXT) * chunk >= to;
  }

  /** @throws DeadlineError after `msMax` */
  #waitWhile(place: number, isSo: (value: number) => boolean, msMax: number = Infinity): void {
    let endMs = Infinity;
    for (let spins = 0; ; spins++) {
      const value = Atomics.load(this.#words, place);
      if (!isSo(value)) return;
      if (spins === SPINS) endMs = systemClock.nowMs() + msMax;
      if (spins > SPINS && systemClock.nowMs() > endMs) {
        throw new DeadlineError(
          `threads: expected helpers to end their chunks within ${msMax} ms, found ${value} inside`,
        );
      }
      if (spins >= SPINS && canSleep) Atomics.wait(this.#words, place, value, SLEEP_MS_MAX);
    }
  }
}

/** Pages may not sleep; workers and Node may. */
const canSleep = !("document" in globalThis);
