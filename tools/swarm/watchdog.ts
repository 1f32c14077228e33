/** Decides that a run hangs. Pure: time and facts in, a sentence out. */

export interface WatchdogLimits {
  /** From the tabs' opening (or a room coming alive again with --resume) to the first step. */
  readonly startMsMax: number;
  /** Without a committed step while two tabs live. */
  readonly silenceMsMax: number;
  /** The same with one tab, which may have to wait for others' shards. */
  readonly aloneMsMax: number;
  /** Without a step further than ever before: rollbacks over and over are no progress either. */
  readonly recordMsMax: number;
}

export const WATCHDOG_LIMITS: WatchdogLimits = {
  startMsMax: 180_000,
  silenceMsMax: 60_000,
  aloneMsMax: 150_000,
  recordMsMax: 900_000,
};

export class Watchdog {
  readonly #limits: WatchdogLimits;
  #hasStep = false;
  #progressAtMs: number;
  #recordAtMs: number;
  #record = 0;
  #twoSinceMs: number | null = null;

  constructor(limits: WatchdogLimits, nowMs: number) {
    this.#limits = limits;
    this.#progressAtMs = nowMs;
    this.#recordAtMs = nowMs;
  }

  onStep(step: number, nowMs: number): void {
    this.#hasStep = true;
    this.#progressAtMs = nowMs;
    if (step > this.#record) [this.#record, this.#recordAtMs] = [step, nowMs];
  }

  /** Why the run is given up, or null while it may go on. Called often. `live` counts tabs that are neither gone nor frozen. */
  check(live: number, nowMs: number): string | null {
    // The minute starts anew when a second tab comes: alone, nobody may have been able to go on.
    if (live < 2) this.#twoSinceMs = null;
    else this.#twoSinceMs ??= nowMs;
    // Nobody to make progress: all are frozen, and come back.
    if (live === 0) this.#progressAtMs = nowMs;
    const silentMs = nowMs - this.#progressAtMs;
    const limits = this.#limits;
    if (!this.#hasStep) {
      return silentMs > limits.startMsMax ? `no step was committed within ${seconds(limits.startMsMax)}` : null;
    }
    const twoForMs = this.#twoSinceMs === null ? 0 : nowMs - this.#twoSinceMs;
    if (Math.min(silentMs, twoForMs) > limits.silenceMsMax) {
      return `no step was committed for ${seconds(limits.silenceMsMax)} while ${live} tabs lived`;
    }
    if (silentMs > limits.aloneMsMax) return `no step was committed for ${seconds(limits.aloneMsMax)}`;
    if (nowMs - this.#recordAtMs > limits.recordMsMax) {
      return `the run did not come further than step ${this.#record} for ${seconds(limits.recordMsMax)}`;
    }
    return null;
  }
}

function seconds(ms: number): string {
  return `${Math.round(ms / 1000)} s`;
}
