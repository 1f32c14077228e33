/** Devices that come and go: each return is held back for longer, since every change of the group costs a step. */
import type { Draft } from "./draft.ts";

/** How often a device left lately, and when last. */
export interface Departures {
  readonly count: number;
  readonly atMs: number;
}

/** The first departures cost nothing: everybody reloads a page now and then. */
const FREE = 3;
const HOLD_MS = 5_000;
const HOLD_MS_MAX = 60_000;
/** Staying so long makes up for what was. */
const FORGET_MS = 5 * 60_000;

/** Notes that a member of `device` left without a word. */
export function noteDeparture(draft: Draft, device: string): void {
  const { departures } = draft.state;
  const count =
    draft.nowMs - (departures.get(device)?.atMs ?? 0) < FORGET_MS ? (departures.get(device)?.count ?? 0) : 0;
  draft.patch({ departures: new Map(departures).set(device, { count: count + 1, atMs: draft.nowMs }) });
}

/** For how long a member of `device` that joins now stays out. */
export function holdMsOf(departures: Departures | undefined, nowMs: number): number {
  if (!departures || departures.count <= FREE || nowMs - departures.atMs >= FORGET_MS) return 0;
  return Math.min(HOLD_MS_MAX, HOLD_MS * 2 ** (departures.count - FREE - 1));
}
