/** How much time tuning may take, and when: work is done in pieces, with pauses that whoever uses the device is asked for. */
import type { Clock } from "../../base/clock.ts";
import { throwIfAborted } from "../../base/wait.ts";

export interface BudgetOptions {
  readonly clock: Clock;
  /** For all sites, and for one: time at work, pauses not counted. */
  readonly totalMs: number;
  readonly siteMs: number;
  /** Resolves when the next piece of work may begin. */
  readonly pause: () => Promise<void>;
  readonly signal: AbortSignal | undefined;
}

export class TuningBudget {
  readonly #options: BudgetOptions;
  #spentMs = 0;
  #siteSpentMs = 0;

  constructor(options: BudgetOptions) {
    this.#options = options;
  }

  get spentMs(): number {
    return this.#spentMs;
  }

  /** Nothing more should be begun for this site. */
  get isSpent(): boolean {
    return this.isAllSpent || this.#siteSpentMs >= this.#options.siteMs;
  }

  /** Nothing more should be begun at all. */
  get isAllSpent(): boolean {
    return this.#spentMs >= this.#options.totalMs;
  }

  startSite(): void {
    this.#siteSpentMs = 0;
  }

  /** After a pause, `piece`. @throws AbortedError */
  async work<T>(piece: () => Promise<T>): Promise<T> {
    const { clock, pause, signal } = this.#options;
    throwIfAborted("tune", signal);
    await pause();
    throwIfAborted("tune", signal);
    const startMs = clock.nowMs();
    try {
      return await piece();
    } finally {
      const tookMs = clock.nowMs() - startMs;
      this.#spentMs += tookMs;
      this.#siteSpentMs += tookMs;
    }
  }
}
