/**
 * What a run tells people, a line at a time: `swarm --json` prints these as DESIGN.md fixes them, and the page draws them.
 */
import type { Hash } from "../../base/hash.ts";
import type { PathKind, PeerId } from "../transport/transport.ts";

/** Where bytes came from when a state was put together, cheapest first. */
export type RecoverySource = "memory" | "disk" | "peers" | "parity";

/** What one source gave, and how long it took. */
export interface Recovery {
  readonly source: RecoverySource;
  readonly shards: number;
  readonly bytes: number;
  readonly ms: number;
}

/** Why bytes were sent. */
export type ByteCategory = "gradients" | "parameters" | "optimizerReplica" | "checkpoint" | "join" | "control";

/** Bytes by what they were sent for. */
export type ByteCounts = Readonly<Record<ByteCategory, number>>;

/** Where a step's time went on one member, in milliseconds. */
export interface StepTimes {
  readonly compute: number;
  readonly network: number;
  readonly waiting: number;
}

/** The lines of `swarm --json`, as DESIGN.md fixes them; also what the page draws. */
export type RunLine =
  | StepLine
  | {
      readonly type: "member";
      readonly event: "join" | "leave" | "lost";
      readonly peer: PeerId;
      readonly step: number;
      readonly reason?: string;
    }
  | { readonly type: "fault"; readonly kind: string; readonly step: number }
  | DecisionLine
  | { readonly type: "abort"; readonly step: number; readonly reason: string }
  | { readonly type: "rollback"; readonly to: number }
  /** A member holds steps up: it gets fewer slots, its slots are computed twice, or it is left out for a while. */
  | {
      readonly type: "straggler";
      readonly peer: PeerId;
      readonly step: number;
      readonly action: StragglerAction;
      readonly reason: string;
    }
  /** A member got what it lacked of the state of `step`. */
  | { readonly type: "recovery"; readonly peer: PeerId; readonly step: number; readonly sources: readonly Recovery[] }
  | { readonly type: "waiting"; readonly reason: string; readonly devices: readonly string[] }
  | {
      readonly type: "checkpoint";
      readonly step: number;
      readonly generation: number;
      readonly ms: number;
      /** Devices that can be lost at once, and one more: with copies alone how many there are of every shard. */
      readonly copies: number;
      /** Chance at most of losing it before the next one, from how often devices leave. */
      readonly lossChance?: number;
      /** Any so many of so many parts give a shard back: [1, 3] is three copies. */
      readonly scheme?: readonly [number, number];
      readonly digests: Readonly<Record<PeerId, Hash>>;
      readonly errors?: Readonly<Record<PeerId, string>>;
    }
  | {
      readonly type: "end";
      readonly steps: number;
      readonly loss: number;
      readonly digests: Readonly<Record<PeerId, Hash>>;
    };

/** What is done about a member that holds steps up, in this order. */
export type StragglerAction = "less" | "backup" | "dropped";

/** What the coordinator decided, and why. At most 20 in 10 s. */
export interface DecisionLine {
  readonly type: "decision";
  /** The last committed one. */
  readonly step: number;
  readonly about: "epoch" | "slots" | "member" | "checkpoint";
  /** One sentence, in which members are called by their ids. */
  readonly text: string;
  /** Those ids. */
  readonly peers: readonly PeerId[];
}

/** Characters of a sentence at most. */
export const SENTENCE_MAX = 500;

/** One committed step, as it is told to people and kept in logs. */
export interface StepLine {
  readonly type: "step";
  readonly step: number;
  readonly loss: number;
  readonly incarnation: number;
  readonly epoch: number;
  readonly members: readonly PeerId[];
  readonly chain: Hash;
  readonly ms: number;
  readonly transport: Readonly<Record<string, PathKind>>;
  readonly bytesSent: Readonly<Record<PeerId, ByteCounts>>;
  readonly times: Readonly<Record<PeerId, StepTimes>>;
}
