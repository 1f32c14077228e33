/** What goes into the coordinator and what comes out. The driver (the signaling server, the simulator) does the I/O. */
import type { Hash } from "../../base/hash.ts";
import type { ClientMessage, CommitRecord, HistoryPoint, RunSpec, ServerMessage } from "../../network/wire/messages.ts";
import type { PeerId } from "../../network/transport/transport.ts";

/** Everything that can happen to a coordinator. `conn` names a socket, so that a peer's old socket cannot speak for its new one. */
export type Event =
  /** After replay, once per start of the process: raises the incarnation. */
  | { readonly kind: "start" }
  | { readonly kind: "message"; readonly conn: string; readonly message: ClientMessage }
  | { readonly kind: "closed"; readonly conn: string }
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
      /** For each shard the devices that stored it. */
      readonly holders: readonly (readonly string[])[];
    }
  | { readonly kind: "rollback"; readonly generation: number; readonly step: number }
  /** Stands for the commits that compaction dropped. */
  | { readonly kind: "history"; readonly points: readonly HistoryPoint[] }
  | { readonly kind: "end"; readonly step: number; readonly digests: Readonly<Record<PeerId, Hash>> };

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
}

/** What the server runs with. */
export const DEFAULT_LIMITS: Limits = {
  silenceMsMax: 6_000,
  formMsMax: 20_000,
  stepMsMin: 30_000,
  stepFactor: 8,
  graceMs: 8_000,
  endMsMax: 15_000,
};
