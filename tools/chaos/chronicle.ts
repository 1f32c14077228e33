/** What happened in a run and when, in milliseconds from its first committed step. */
import type { ChaosKind } from "./schedule.ts";

export interface Commit {
  readonly step: number;
  readonly atMs: number;
}

/** A fault that was carried out. */
export interface Struck {
  readonly kind: ChaosKind;
  /** Null for the server. */
  readonly tab: number | null;
  /** The step that it happened in. */
  readonly step: number;
  readonly atMs: number;
}

/** A tab that went, or stopped, without a fault having asked it to. */
export interface Casualty {
  readonly tab: number;
  readonly atMs: number;
  readonly reason: string;
}

/** A tab that was struck takes part again. */
export interface Return {
  readonly kind: ChaosKind;
  /** The tab in the same place: another one where it was killed. */
  readonly tab: number;
  /** From the fault's end, or the opening of the tab that came instead, to the first committed step with it. */
  readonly afterMs: number;
}

export interface Chronicle {
  readonly commits: readonly Commit[];
  readonly struck: readonly Struck[];
  /** Faults that found nobody to strike: too many tabs were troubled, or what they strike was not there. */
  readonly missed: readonly ChaosKind[];
  readonly casualties: readonly Casualty[];
  readonly returns: readonly Return[];
  /** When the run was ended. */
  readonly endMs: number;
}
