/**
 * The commit protocol as a state space: three members and the coordinator, all of it the production code's own states,
 * and every message that is under way. Bytes are a name, which the protocol sees, and a truth, which it does not: equal
 * names with different truths are the sleeping laptop.
 */
import { SHARDS, type Inventory } from "../../src/network/wire/state-record.ts";
import type { ClientMessage, ServerMessage } from "../../src/network/wire/messages.ts";
import type { State } from "../../src/training/coordinator/state.ts";
import type { EpochMessage, MemberState, PlanMessage } from "../../src/training/recovery/member.ts";

/** A member's copy of a state: parameters whole, optimizer shards in part. */
export interface Copy {
  readonly step: number;
  /** What its hashes are made of. */
  readonly name: string;
  /** Which computation it came from. */
  readonly truth: string;
  readonly shards: readonly number[];
}

export type Work =
  | { readonly kind: "sync"; readonly epoch: EpochMessage }
  | {
      readonly kind: "step";
      readonly plan: PlanMessage;
      readonly epoch: EpochMessage;
      /** What the gradients of all members came from, once they have all arrived; null before. */
      readonly fed: string | null;
    };

export interface MemberModel {
  readonly peer: string;
  readonly isAsleep: boolean;
  /** Null when its socket is gone, whether or not it has noticed. */
  readonly conn: string | null;
  readonly hasNoticed: boolean;
  readonly state: MemberState;
  readonly work: Work | null;
  readonly committed: Copy | null;
  readonly pending: Copy | null;
  readonly retired: readonly Copy[];
  readonly inbox: readonly ServerMessage[];
  readonly outbox: readonly ClientMessage[];
}

/** What may still go wrong. */
export interface Budget {
  readonly kills: number;
  readonly suspends: number;
  readonly restarts: number;
  readonly timeouts: number;
}

export interface Model {
  readonly nowMs: number;
  readonly coordinator: State;
  readonly members: readonly MemberModel[];
  readonly budget: Budget;
  /** The truth of the last commit. */
  readonly truth: string;
  readonly conns: number;
  /** What does not hold any more; the search ends there. */
  readonly violation: string | null;
}

/** Whether hashes tell computations apart, as they do; without it they tell steps apart only. */
export interface Identity {
  readonly hasDigest: boolean;
}

export const GENESIS: Copy = {
  step: 0,
  name: "g",
  truth: "g",
  shards: Array.from({ length: SHARDS }, (_, shard) => shard),
};

export const nameOf = (step: number, truth: string, { hasDigest }: Identity): string =>
  hasDigest ? truth : `step ${step}`;

const cached = <T>(make: (key: string) => T): ((key: string) => T) => {
  const found = new Map<string, T>();
  return (key) => {
    const value = found.get(key) ?? make(key);
    found.set(key, value);
    return value;
  };
};

/** The hashes of all shards of a state with this name. */
export const hashesOf: (name: string) => readonly string[] = cached((name) =>
  Array.from({ length: SHARDS }, () => `h(${name})`),
);

export function inventoryOf(copies: readonly Copy[], rootOf: (name: string) => string): Inventory {
  return {
    parameterRoots: copies.filter(({ name }) => name !== "g").map(({ name }) => rootOf(name)),
    optimizer: copies.flatMap(({ name, shards }) => shards.map((shard) => [shard, `h(${name})`] as const)),
    stored: [],
  };
}
