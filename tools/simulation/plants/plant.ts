/** A bug planted into a simulation, so that its checks can be seen to find it: each breaks one rule of the protocol. */
import type { Audits } from "../cluster.ts";
import type { Limits } from "../../../src/training/coordinator/protocol.ts";
import type { State } from "../../../src/training/coordinator/state.ts";
import type { transition } from "../../../src/training/coordinator/transition.ts";

export type CoordinatorStep = typeof transition;

/** Names of planted bugs: what they do stands in `plants.ts`. */
export type PlantName =
  | "stale-rejoin"
  | "keep-pending"
  | "vote-without-replicas"
  | "commit-on-a-claimed-hash"
  | "fence-without-incarnation"
  | "discard-pending-by-deadline"
  | "ready-not-confirmed"
  | "two-coordinators"
  | "mean-of-means"
  | "gradients-twice"
  | "forged-quorum"
  | "announce-before-append"
  | "hasty-rollback"
  | "checkpoint-before-stored"
  | "collect-before-logged"
  | "trust-the-disk"
  | "rollback-keeps-incarnation"
  | "parity-of-another-step"
  | "both-copies"
  | "two-decisions"
  | "released-at-once"
  | "farewell-unheard"
  | "audits-ignored"
  | "wrong-one-put-out"
  | "quarantine-forgotten";

/** How one is planted: in the coordinator here, in members by name. */
export interface Plant {
  readonly what: string;
  /** The coordinator with the bug. */
  readonly coordinator?: (step: CoordinatorStep) => CoordinatorStep;
  /** What a start believes to have read. */
  readonly onReplayed?: (state: State) => State;
  readonly limits?: Partial<Limits>;
  /** Found where drivers are wrong. */
  readonly audits?: Audits;
}
