/** What measuring has found out, by the key of the site (`site.ts`). */
import type { Site } from "./site.ts";

/** What was found out about one way to write a kernel. */
export interface CandidateResult {
  readonly name: string;
  /** Median of its runs; null where it was not measured. */
  readonly ms: number | null;
  /** Why it must not be chosen; null where it may. */
  readonly rejection: string | null;
}

/** What was found out about one site. */
export interface TuningEntry {
  readonly kind: string;
  readonly shapeClass: string;
  readonly dtype: string;
  /** The default first. */
  readonly candidates: readonly CandidateResult[];
  /** Null while too little is known: the default is used, and measuring goes on another time. */
  readonly winner: string | null;
}

/** Everything known of a device. */
export type TuningTable = ReadonlyMap<string, TuningEntry>;

export function entryOf(site: Site, candidates: readonly CandidateResult[], winner: string | null): TuningEntry {
  const { kind, shapeClass, dtype } = site;
  return { kind, shapeClass, dtype, candidates, winner };
}

/** How many times as fast the winner is as the default; null where either was not measured. */
export function speedUpOf({ candidates, winner }: TuningEntry): number | null {
  const usualMs = candidates[0]?.ms ?? null;
  const winnerMs = candidates.find(({ name }) => name === winner)?.ms ?? null;
  return usualMs === null || winnerMs === null || winnerMs === 0 ? null : usualMs / winnerMs;
}
