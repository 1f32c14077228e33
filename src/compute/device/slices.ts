/** Work in order, in slices that leave the event loop time for everything else. */
import type { Clock } from "../../base/clock.ts";
import type { YieldToEventLoop } from "./yielding.ts";

/** Some work: does a part of it and says whether it is done. It should take about a millisecond a call. */
export type Work = () => boolean;

/** How long the thread is kept before the event loop runs: a message of several hops waits so long for each. */
const SLICE_MS = 3;

/** A queue of work. One slice a task; the first one starts after the code that filled the queue. */
export class SliceQueue {
  readonly #clock: Clock;
  readonly #yield: YieldToEventLoop;
  readonly #onError: (error: unknown) => void;
  #works: Work[] = [];
  #at = 0;
  #isRunning = false;

  constructor(clock: Clock, yieldToEventLoop: YieldToEventLoop, onError: (error: unknown) => void) {
    this.#clock = clock;
    this.#yield = yieldToEventLoop;
    this.#onError = onError;
  }

  get isEmpty(): boolean {
    return this.#works.length === 0;
  }

  push(work: Work): void {
    this.#works.push(work);
    if (this.#isRunning) return;
    this.#isRunning = true;
    void this.#run();
  }

  /** Forgets all work that has not begun; what is half done stays so. */
  clear(): void {
    this.#works = [];
    this.#at = 0;
  }

  async #run(): Promise<void> {
    await Promise.resolve();
    try {
      while (!this.isEmpty) {
        this.#slice();
        if (!this.isEmpty) await this.#yield();
      }
    } catch (error) {
      this.clear();
      this.#onError(error);
    } finally {
      this.#isRunning = false;
    }
  }

  #slice(): void {
    const end = this.#clock.nowMs() + SLICE_MS;
    do {
      const work = this.#works[this.#at];
      if (work === undefined) return this.clear();
      if (work()) this.#at += 1;
    } while (this.#clock.nowMs() < end);
    // Not one by one: shifting a long array would cost its length each time.
    this.#works.splice(0, this.#at);
    this.#at = 0;
  }
}
