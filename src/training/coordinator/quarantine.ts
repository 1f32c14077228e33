/**
 * Devices whose results differed from others': kept out for a time that grows each time, and told why.
 *
 * Nobody of such a device is admitted meanwhile, not even where nobody else is here: unlike a bad link, a wrong result
 * harms the model. Back again it owns no shards where others can: they would go with it the next time.
 *
 * Quarantines are records of the log, and a restarted coordinator keeps to them. Their times are the wall's, since a
 * process's own clock means nothing to the next one. A start takes it to be at least what the log says, so a clock that
 * was set back makes no quarantine longer; and time that a process slept through does not count.
 */
import type { Draft } from "./draft.ts";
import type { LogRecord } from "./protocol.ts";
import type { State } from "./state.ts";

type QuarantineRecord = Extract<LogRecord, { kind: "quarantine" }>;

/** How often a device's results were found to differ, until when it stays out, and the sentence that it was told. */
export interface Quarantine {
  readonly count: number;
  /** Milliseconds since 1970. */
  readonly fromWallMs: number;
  readonly untilWallMs: number;
  readonly reason: string;
}

/** By device, the newest last. */
export type Quarantines = ReadonlyMap<string, Quarantine>;

const MINUTE_MS = 60_000;
const FIRST_MS = 2 * MINUTE_MS;
const QUARANTINE_MS_MAX = 60 * MINUTE_MS;
/** So long after its end a quarantine makes the next one of its device longer. */
const REMEMBERED_MS = 24 * 60 * MINUTE_MS;
/** Beyond that the one that ends first is given up: 64 are some 25 kB of a log. */
const QUARANTINES_MAX = 64;

/** Begins a quarantine of `device`, in the log, and returns the sentence for its page. */
export function noteQuarantine(draft: Draft, device: string, reason: string): string {
  const count = (draft.state.durable.quarantines.get(device)?.count ?? 0) + 1;
  const ms = Math.min(QUARANTINE_MS_MAX, FIRST_MS * 2 ** (count - 1));
  const fromWallMs = wallMsOf(draft.state, draft.nowMs);
  draft.append({ kind: "quarantine", device, count, fromWallMs, untilWallMs: fromWallMs + ms, reason });
  return sentence(reason, ms);
}

/** Why nobody of `device` is admitted now; null where it is not in quarantine. */
export function quarantineOf(state: State, device: string, nowMs: number): string | null {
  const found = state.durable.quarantines.get(device);
  const leftMs = found ? found.untilWallMs - wallMsOf(state, nowMs) : 0;
  return found && leftMs > 0 ? sentence(found.reason, leftMs) : null;
}

/** Of `ranks` those whose devices were in no quarantine of late; all of them where every one's was. */
export function trusted(
  state: State,
  members: readonly { readonly device: string }[],
  ranks: readonly number[],
  nowMs: number,
): readonly number[] {
  const { quarantines } = state.durable;
  const wallMs = wallMsOf(state, nowMs);
  const isSuspect = (rank: number): boolean => {
    const found = quarantines.get(members[rank]?.device ?? "");
    return found !== undefined && found.untilWallMs + REMEMBERED_MS > wallMs;
  };
  const rest = ranks.filter((rank) => !isSuspect(rank));
  return rest.length > 0 ? rest : ranks;
}

/** Folds a record: its device's newest counts, and what ended long before it is forgotten. */
export function foldQuarantine(quarantines: Quarantines, record: QuarantineRecord): Quarantines {
  const { device, count, fromWallMs, untilWallMs, reason } = record;
  const others = [...quarantines].filter(
    ([other, { untilWallMs: end }]) => other !== device && end + REMEMBERED_MS > fromWallMs,
  );
  const kept = new Map(others);
  if (kept.size >= QUARANTINES_MAX) kept.delete(firstToEnd(kept));
  return kept.set(device, { count, fromWallMs, untilWallMs, reason });
}

/** The records that fold to `quarantines`. */
export function quarantineRecords(quarantines: Quarantines): QuarantineRecord[] {
  return [...quarantines].map(([device, found]) => ({ kind: "quarantine", device, ...found }));
}

/** What to add to a coordinator's own time, which is `nowMs` at its start, to have the wall's. */
export function wallOffsetMs({ durable }: State, nowMs: number, wallMs: number): number {
  const begun = [...durable.quarantines.values()].map(({ fromWallMs }) => fromWallMs);
  return Math.max(wallMs, ...begun) - nowMs;
}

function wallMsOf(state: State, nowMs: number): number {
  return nowMs + state.wallOffsetMs;
}

function firstToEnd(quarantines: Quarantines): string {
  const [first] = [...quarantines].sort(([, a], [, b]) => a.untilWallMs - b.untilWallMs);
  return first?.[0] ?? "";
}

function sentence(reason: string, ms: number): string {
  const minutes = Math.ceil(ms / MINUTE_MS);
  return `${reason} It may try again in ${minutes} ${minutes === 1 ? "minute" : "minutes"}.`;
}
