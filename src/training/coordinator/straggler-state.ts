/** What the coordinator remembers of members that hold steps up, and of a step whose slots are partly computed twice. */
import type { PeerId } from "../../network/transport/transport.ts";
import type { Backup } from "../../network/wire/messages.ts";
import type { Departures } from "./flapping.ts";

/** Steps over which lateness is counted: a member is believed again when it was in time for so long. */
export const LATENESS_STEPS = 8;

export interface Stragglers {
  /** Whether a member was late in each of its last steps with slots, newest last, `LATENESS_STEPS` at most. */
  readonly late: ReadonlyMap<PeerId, readonly boolean[]>;
  /** Whose slots the newest plan gives to a second member. */
  readonly backed: readonly PeerId[];
  /** By device, how often it was left out, and when last. */
  readonly drops: ReadonlyMap<string, Departures>;
}

export const NO_STRAGGLERS: Stragglers = { late: new Map(), backed: [], drops: new Map() };

/** Which copies there are of a step's slots. */
export interface Cover {
  readonly backups: readonly Backup[];
  /** "rank:by": the slots planned for `rank` are computed at `by`. */
  readonly computed: ReadonlySet<string>;
  /** What was decided, once: ranks whose slots count as their backups computed them. */
  readonly decision: { readonly late: readonly number[]; readonly atMs: number } | null;
}

/** Nothing computed yet; null where nothing is planned twice. */
export function coverOf(backups: readonly Backup[]): Cover | null {
  return backups.length > 0 ? { backups, computed: new Set(), decision: null } : null;
}
