/** A clock that a test or a simulation moves: hours in milliseconds, and the same order of events every time. */
import type { Clock } from "../../../base/clock.ts";
import { EventQueue } from "../../event-queue.ts";

/** Time that passes when it is told to. */
export class VirtualClock implements Clock {
  #nowMs = 0;
  readonly #queue = new EventQueue();
  readonly #settle: () => Promise<void>;

  /** `settle` resolves when all promise reactions that can run have run: in Node, after a `setImmediate`. */
  constructor(settle: () => Promise<void>) {
    this.#settle = settle;
  }

  nowMs(): number {
    return this.#nowMs;
  }

  wallMs(): number {
    return this.#nowMs;
  }

  after(delayMs: number, callback: () => void): () => void {
    let isDue = true;
    this.#queue.push(this.#nowMs + Math.max(0, delayMs), () => {
      if (isDue) callback();
    });
    return () => {
      isDue = false;
    };
  }

  /** Runs everything that is due in the next `ms`, promises included. */
  async advance(ms: number): Promise<void> {
    const endMs = this.#nowMs + ms;
    await this.#settle();
    while (this.#queue.nextMs <= endMs) {
      this.#fireNext();
      await this.#settle();
    }
    this.#nowMs = endMs;
  }

  /** `promise`, with time running for it, as fast as the machine allows. Where nothing is due any more, it waits in vain. */
  async run<T>(promise: Promise<T>): Promise<T> {
    const state = { isSettled: false };
    const settled = (): void => void (state.isSettled = true);
    promise.then(settled, settled);
    await this.#settle();
    while (!state.isSettled && this.#queue.nextMs < Infinity) {
      this.#fireNext();
      await this.#settle();
    }
    return promise;
  }

  #fireNext(): void {
    const event = this.#queue.pop();
    if (event === undefined) return;
    this.#nowMs = event.atMs;
    event.happen();
  }
}
