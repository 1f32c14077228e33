/** Whether ops record how to differentiate them. On by default. */

let enabled = true;

/** True while results of ops carry gradients. */
export function isGradEnabled(): boolean {
  return enabled;
}

/** Runs `fn` (synchronous) with recording on or off. */
export function withGradMode<T>(mode: boolean, fn: () => T): T {
  const before = enabled;
  enabled = mode;
  try {
    return fn();
  } finally {
    enabled = before;
  }
}

/** Runs `fn` (synchronous) without recording: its results carry no gradient. */
export function noGrad<T>(fn: () => T): T {
  return withGradMode(false, fn);
}
