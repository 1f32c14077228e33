/** Time, injected: the browser's, or a simulator's virtual one. Nothing else in `src` reads a clock or sets a timer. */

/** Where time comes from. */
export interface Clock {
  /** Milliseconds since an arbitrary origin; never goes back. */
  nowMs(): number;
  /** Milliseconds since 1970, for people and logs only. */
  wallMs(): number;
  /** Runs `callback` once after `delayMs`; the result cancels it. */
  after(delayMs: number, callback: () => void): () => void;
}

/** The platform's clock: `performance.now` and `setTimeout`. */
export const systemClock: Clock = {
  nowMs: () => performance.now(),
  wallMs: () => Date.now(),
  after(delayMs, callback) {
    const timer = setTimeout(callback, delayMs);
    return () => clearTimeout(timer);
  },
};
