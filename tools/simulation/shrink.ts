/** A failing script of faults made short: the fewest events found that still fail. */
import type { FaultEvent } from "./faults.ts";

/** Runs that a shrinking may take. */
const TRIES_MAX = 400;

/**
 * Leaves out events as long as `fails` says that the rest still fails: halves first, then smaller parts, then single
 * ones (ddmin: Zeller & Hildebrandt, 2002). Costs a simulation a try.
 */
export function shrink(
  script: readonly FaultEvent[],
  fails: (script: readonly FaultEvent[]) => boolean,
): readonly FaultEvent[] {
  let best = script;
  let parts = 2;
  for (let tries = 0; tries < TRIES_MAX && best.length > 0;) {
    const size = Math.ceil(best.length / parts);
    let isShorter = false;
    for (let from = 0; from < best.length && tries < TRIES_MAX; from += size) {
      const rest = best.filter((_, index) => index < from || index >= from + size);
      tries += 1;
      if (!fails(rest)) continue;
      best = rest;
      isShorter = true;
      break;
    }
    if (isShorter) parts = Math.max(2, parts - 1);
    else if (size === 1) break;
    else parts = Math.min(best.length, parts * 2);
  }
  return best;
}

/** A script for people: one line an event. */
export function describeScript(script: readonly FaultEvent[]): string {
  return script
    .map(
      ({ atMs, kind, pick, much }) =>
        `  ${(atMs / 1000).toFixed(1)} s ${kind} (${pick.toFixed(2)}, ${much.toFixed(2)})`,
    )
    .join("\n");
}
