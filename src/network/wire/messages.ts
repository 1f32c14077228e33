/**
 * What members and the coordinator say to each other: JSON over one WebSocket. Types here, checks in `validate.ts`.
 *
 * The order of a member's life: hello -> welcome -> (prepares: data, model, warm-up) -> join -> epoch -> ready ->
 * plan -> vote -> commit -> plan -> ... and at any moment another epoch, which ends whatever was under way.
 */
import type { Hash } from "../../base/hash.ts";
import type { PathKind, PeerId } from "../transport/transport.ts";
import type { LinkFigure } from "./link-levels.ts";
import type { MemorySummary } from "./memory-summary.ts";
import type { ByteCounts, Recovery, RunLine, StepTimes } from "./run-line.ts";
import type { RunSpec } from "./run-spec.ts";
import type { CheckpointOrder, CommitRecord, Inventory, StateLayout, StripeSources } from "./state-record.ts";

/** Grows when any message or frame changes its meaning; peers of another version are refused with one sentence. */
export const PROTOCOL_VERSION = 6;

/** What a member is, for people and for placement. */
export interface MemberInfo {
  readonly peer: PeerId;
  /** Names the browser profile: tabs with the same one share GPU and storage. */
  readonly device: string;
  /** "webgpu: SwiftShader", "reference: CPU (JavaScript)". */
  readonly engine: string;
}

/** What a member gives, as far as its browser and its person tell. */
export interface Offer {
  readonly memoryBudgetMiB?: number;
  /** Level from 0 to 1. */
  readonly battery?: { readonly level: number; readonly charging: boolean };
  readonly isVisible?: boolean;
  /** Of the device's time, more than 0 and at most 1. */
  readonly share?: number;
  /** Until it leaves by itself. */
  readonly minutesLeft?: number;
}

/**
 * A slot's gradient in few numbers. Devices round differently, so it is no hash: what another device says of the same
 * slot has to be near (`coordinator/audit.ts`).
 */
export interface Fingerprint {
  readonly loss: number;
  /** Euclidean, of the gradient. */
  readonly norm: number;
  /** Length SKETCH: every element of the gradient goes into one of them, with a sign, both drawn. */
  readonly sketch: readonly number[];
}

/** Length of a fingerprint's sketch. */
export const SKETCH = 16;

/** A slot that another member computes too, from the same parameters: only its fingerprint is compared. */
export interface Audit {
  readonly slot: number;
  /** Who computes it beside its owner. */
  readonly rank: number;
}

/** Shard -> rank tables of an epoch. */
export interface ShardMap {
  readonly owner: readonly number[];
  /** Equal to the owner in an epoch with one holder. */
  readonly replica: readonly number[];
}

/** A member of an epoch: ranks are places in the list. A listener holds no state yet: no slots, no shards, it receives one all-gather. */
export interface EpochMember extends MemberInfo {
  readonly role: "full" | "listener";
}

export type ClientMessage =
  | {
      readonly kind: "hello";
      readonly protocol: number;
      readonly room: string;
      readonly role: "member" | "observer";
      readonly info: MemberInfo;
    }
  /** Prepared: data there, model built, kernels compiled. Said again after each reconnect. `genesis` is the state of step 0. */
  | {
      readonly kind: "join";
      /** What it computes on, known only now: "webgpu: SwiftShader". */
      readonly engine: string;
      /** Parts that the run cuts a step's batch into; the same for every member of a room. */
      readonly slots: number;
      /** Measured by the warm-up. */
      readonly slotsPerSecond: number;
      readonly inventory: Inventory;
      readonly genesis: { readonly parameters: readonly Hash[]; readonly optimizer: readonly Hash[] };
      readonly layout?: StateLayout;
      /** It said before that it goes, and still does: without it whoever joins stays. */
      readonly leaving?: true;
    }
  /** Linked to every member and holding what the epoch's map asks for (a listener: linked). */
  | {
      readonly kind: "ready";
      readonly incarnation: number;
      readonly epoch: number;
      readonly inventory: Inventory;
      /** Where the state came from, for people. */
      readonly recovered?: readonly Recovery[];
      /** What links from other members of the epoch cost, as far as it is known here. */
      readonly links?: readonly LinkFigure[];
    }
  /** In a step with backups: every slot planned for `rank`, the own rank or one that is backed up here, is computed. */
  | {
      readonly kind: "computed";
      readonly incarnation: number;
      readonly epoch: number;
      readonly step: number;
      readonly rank: number;
    }
  | {
      readonly kind: "vote";
      readonly incarnation: number;
      readonly epoch: number;
      readonly step: number;
      /** Root over the hashes of the parameter bytes this member holds, all of them received or computed. */
      readonly parameterRoot: Hash;
      /** [shard, hash] of own shards. */
      readonly parameters: readonly (readonly [number, Hash])[];
      /** [shard, hash] of optimizer shards: owned ones and replicas. */
      readonly optimizer: readonly (readonly [number, Hash])[];
      /** [slot, mean loss of the slot]. */
      readonly losses: readonly (readonly [number, number])[];
      /** Of audited slots, own ones and those of others: null where the loss or the gradient is not finite. */
      readonly fingerprints?: readonly (readonly [slot: number, fingerprint: Fingerprint | null])[];
      readonly times: StepTimes;
      /** Since the last vote. */
      readonly bytesSent: ByteCounts;
      readonly paths: Readonly<Record<PeerId, PathKind>>;
      /** As in `ready`, where it changed much since it was last told: every 10 s at most. */
      readonly links?: readonly LinkFigure[];
    }
  /** The epoch or its step cannot be finished here: lost links, or bytes that no source could give. */
  | {
      readonly kind: "failed";
      readonly incarnation: number;
      readonly epoch: number;
      readonly reason: string;
      readonly unreachable: readonly PeerId[];
      /** Hashes promised by an inventory that were missing or corrupt. */
      readonly missing: readonly Hash[];
      /** A slot whose loss is not finite here. */
      readonly slot?: number;
    }
  | {
      readonly kind: "stored";
      readonly step: number;
      readonly chain: Hash;
      /** Units on this device's disk, marker written. Empty when the disk refused. */
      readonly shards: readonly number[];
      /** [unit, hash over parameters, hash over optimizer state] of the parity among them. */
      readonly parity?: readonly (readonly [number, Hash, Hash])[];
      readonly error: string | null;
      readonly ms: number;
    }
  /** SHA-256 of the parameter bytes read back from the device, at checkpoints and at the end. */
  | { readonly kind: "digest"; readonly step: number; readonly chain: Hash; readonly digest: Hash }
  | { readonly kind: "heartbeat" }
  /** What this tab's device memory looks like, for people: every 2 s at most, and only where it changed. */
  | { readonly kind: "memory"; readonly memory: MemorySummary }
  /** After each welcome, and when it changes. */
  | { readonly kind: "offer"; readonly offer: Offer }
  /**
   * Going on purpose, or pausing. With `handsOver` the step in flight is finished, the next epoch is formed without this
   * member while it still gives what it holds, and then it is told `released`: said again, before `join`, after each
   * reconnect until then. Without it: gone at once.
   */
  | { readonly kind: "leave"; readonly reason: string; readonly handsOver?: true };

export type ServerMessage =
  | {
      readonly kind: "welcome";
      readonly spec: RunSpec;
      readonly incarnation: number;
      readonly step: number;
      /** Peers in the room now: where data can be had from. */
      readonly peers: readonly PeerId[];
      readonly history: readonly HistoryPoint[];
    }
  /** How others may be reached, before the welcome and again before its rights end. */
  | {
      readonly kind: "network";
      readonly iceServers: readonly IceServer[];
      /** Admits to the relay; null where there is none. */
      readonly relayTicket: string | null;
    }
  /** Final: the connection closes and must not be tried again. `reason` is a sentence for people. */
  | { readonly kind: "refused"; readonly code: RefusalCode; readonly reason: string }
  | {
      readonly kind: "epoch";
      readonly incarnation: number;
      readonly epoch: number;
      readonly members: readonly EpochMember[];
      readonly map: ShardMap;
      readonly record: CommitRecord;
      /** For each optimizer shard: peers that hold it. */
      readonly optimizerSources: readonly (readonly PeerId[])[];
      /** For each parameter shard: peers that hold it. */
      readonly parameterSources: readonly (readonly PeerId[])[];
      /** Parity of the record, where a checkpoint of it has some and somebody here holds it. */
      readonly stripes: readonly StripeSources[];
      readonly deadlineMs: number;
    }
  | {
      readonly kind: "plan";
      readonly incarnation: number;
      readonly epoch: number;
      readonly step: number;
      /** Slots by rank. */
      readonly slots: readonly (readonly number[])[];
      /** Members that were late: their slots are computed by a second one too, and nothing is summed before `reduce`. */
      readonly backups?: readonly Backup[];
      /** Absent in most steps. */
      readonly audits?: readonly Audit[];
      /**
       * What links cost, as `encodeLevels` writes it: from this step of the epoch on everybody chooses programs by it. With
       * an epoch's first plan, and when it changed; without any, by the usual rule.
       */
      readonly links?: string;
      readonly deadlineMs: number;
    }
  /** Once in a step with backups: what these ranks were to compute is taken from their backups, the rest as planned. */
  | {
      readonly kind: "reduce";
      readonly incarnation: number;
      readonly epoch: number;
      readonly step: number;
      readonly late: readonly number[];
    }
  | {
      readonly kind: "commit";
      readonly incarnation: number;
      readonly epoch: number;
      readonly step: number;
      readonly chain: Hash;
      readonly parameterRoot: Hash;
      readonly loss: number;
      readonly checkpoint: CheckpointOrder | null;
    }
  /** Nothing can go on until something happens; says what. */
  | { readonly kind: "waiting"; readonly reason: string; readonly devices: readonly string[] }
  /** Nobody needs anything any more of a member that said it goes. */
  | { readonly kind: "released" }
  /** The last step is committed. */
  | { readonly kind: "finish"; readonly step: number; readonly chain: Hash }
  | { readonly kind: "event"; readonly line: RunLine }
  /** Who is here, once a second where it changed. */
  | { readonly kind: "roster"; readonly members: readonly RosterEntry[] }
  /** The newest memory of some members: of those that said something new, once in 2 s. */
  | { readonly kind: "memories"; readonly members: readonly MemberMemory[] };

/** A rank, and the one that computes its slots too. */
export type Backup = readonly [rank: number, by: number];

/** A STUN or TURN server, as `RTCPeerConnection` takes it. */
export interface IceServer {
  readonly urls: readonly string[];
  readonly username?: string;
  readonly credential?: string;
}

export type RefusalCode = "unknown-room" | "protocol-version" | "malformed" | "busy" | "mismatch";

/** The loss of a step. */
export interface HistoryPoint {
  readonly step: number;
  readonly loss: number;
}

/** One member as people see it. */
export interface RosterEntry extends MemberInfo {
  readonly state: "preparing" | "waiting" | "syncing" | "training" | "paused" | "leaving";
  /** In the coming or running step. */
  readonly slots: number;
  readonly slotsPerSecond: number;
  /** What it last said that it gives, in whole minutes and twentieths of a battery; absent before it said. */
  readonly offer?: Offer;
}

/** The device memory of a member. */
export interface MemberMemory {
  readonly peer: PeerId;
  readonly memory: MemorySummary;
}
