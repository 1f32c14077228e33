/** What goes into the coordinator and what comes out. The driver (the signaling server, the simulator) does the I/O. */
import type { Hash } from "../../base/hash.ts";
import type { ClientMessage, HistoryPoint, ServerMessage } from "../../network/wire/messages.ts";
import type { CommitRecord, StateLayout } from "../../network/wire/state-record.ts";
import type { RunSpec } from "../../network/wire/run-spec.ts";
import type { PeerId } from "../../network/transport/transport.ts";

/** Everything that can happen to a coordinator. `conn` names a socket, so that a peer's old socket cannot speak for its new one. */
export type Event =
  /** After replay, once per start of the process: raises the incarnation. `wallMs` is the time since 1970. */
  | { readonly kind: "start"; readonly wallMs: number }
  | { readonly kind: "message"; readonly conn: string; readonly message: ClientMessage }
  | { readonly kind: "closed"; readonly conn: string }
  /** The next commit is a checkpoint, and no step follows it until the run may go on. */
  | { readonly kind: "hold"; readonly isHeld: boolean }
  /** At least twice a second. */
  | { readonly kind: "tick" };

/**
 * What the driver must do, in this order. An `append` is on the disk before any later effect is carried out: that is
 * what makes an announced COMMIT final.
 */
export type Effect =
  | { readonly kind: "append"; readonly record: LogRecord }
  | { readonly kind: "send"; readonly conn: string; readonly message: ServerMessage }
  | { readonly kind: "close"; readonly conn: string; readonly reason: string };

/** The durable history: replaying it rebuilds the durable part of the state exactly. */
export type LogRecord =
  | { readonly kind: "room"; readonly room: string; readonly spec: RunSpec }
  | { readonly kind: "incarnation"; readonly incarnation: number }
  | {
      readonly kind: "epoch";
      readonly epoch: number;
      readonly members: readonly { readonly peer: PeerId; readonly device: string }[];
    }
  | { readonly kind: "commit"; readonly record: CommitRecord; readonly loss: number }
  | {
      readonly kind: "checkpoint";
      readonly generation: number;
      readonly record: CommitRecord;
      readonly loss: number;
      /** For each unit, shards first and then parity, the devices that stored it. */
      readonly holders: readonly (readonly string[])[];
      /** How parity protects shards; absent where every shard has copies. */
      readonly stripes?: readonly StoredStripe[];
      /** What the shards' bytes are; absent where no member told. With it a checkpoint can be read without a tab. */
      readonly layout?: StateLayout;
    }
  | { readonly kind: "rollback"; readonly generation: number; readonly step: number }
  /** Stands for the commits that compaction dropped. */
  | { readonly kind: "history"; readonly points: readonly HistoryPoint[] }
  /** Nobody of this device is admitted until then: its results differed, for the `count`th time of late. */
  | {
      readonly kind: "quarantine";
      readonly device: string;
      readonly count: number;
      readonly fromWallMs: number;
      readonly untilWallMs: number;
      readonly reason: string;
    }
  | { readonly kind: "end"; readonly step: number; readonly digests: Readonly<Record<PeerId, Hash>> };

/** Parity by content: any `shards.length` of shards and parity give the others. */
export interface StoredStripe {
  readonly shards: readonly number[];
  readonly parity: readonly {
    /** Its place among the units of the checkpoint, after the shards. */
    readonly unit: number;
    /** Row of the code. */
    readonly row: number;
    readonly parameter: Hash;
    readonly optimizer: Hash;
  }[];
}

/** Deadlines and thresholds. Times in milliseconds. */
export interface Limits {
  /** A member that says nothing for so long is lost. */
  readonly silenceMsMax: number;
  /** For members of an epoch to link up and get what they need. */
  readonly formMsMax: number;
  /** The shortest and the relative deadline of a step: max(stepMsMin, factor x the usual step). */
  readonly stepMsMin: number;
  readonly stepFactor: number;
  /** After a start or a loss of shards: how long holders get to come back before a rollback. */
  readonly graceMs: number;
  /** For all digests to arrive at the end. */
  readonly endMsMax: number;
  /** Chance of losing a checkpoint before the next one: redundancy is chosen so that it stays below. */
  readonly lossChanceMax: number;
  /** Up to so many copies are preferred to parity where they keep that chance. */
  readonly copiesMax: number;
  /** Late in so many of the last `LATENESS_STEPS` steps, a member's slots are computed twice. */
  readonly lateBackup: number;
  /** And in so many, it is left out for a while. */
  readonly lateDrop: number;
  /** One step in so many, at random, has slots that another device computes too; none for 0. */
  readonly auditEvery: number;
  /** How many slots of such a step: all of them where there are fewer. */
  readonly auditSlots: number;
}

/** What the server runs with. */
export const DEFAULT_LIMITS: Limits = {
  silenceMsMax: 6_000,
  formMsMax: 20_000,
  stepMsMin: 30_000,
  stepFactor: 8,
  graceMs: 8_000,
  endMsMax: 15_000,
  lossChanceMax: 1e-4,
  copiesMax: 3,
  lateBackup: 2,
  lateDrop: 6,
  auditEvery: 8,
  auditSlots: 1,
};
