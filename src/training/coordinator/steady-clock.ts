/**
 * The coordinator's own time: what passes while it is awake.
 *
 * A process that slept heard nobody, and holds that against nobody; a clock set back stalls nothing. So silence,
 * deadlines and the grace before a rollback are measured in time during which members could be heard.
 */

/** The longest time between two events that counts in full: four ticks. */
const GAP_MS_MAX = 1_000;

/** Turns a clock that may jump either way into one that only grows, by a second at a time at most. */
export class SteadyClock {
  #ownMs: number;
  #lastMs: number;

  constructor(startMs: number) {
    this.#ownMs = startMs;
    this.#lastMs = startMs;
  }

  /** The coordinator's time at an event for which the platform's clock says `nowMs`. */
  advance(nowMs: number): number {
    this.#ownMs += Math.min(GAP_MS_MAX, Math.max(0, nowMs - this.#lastMs));
    this.#lastMs = nowMs;
    return this.#ownMs;
  }
}
