/**
 * What members and the coordinator say to each other: JSON over one WebSocket. Types here, checks in `validate.ts`.
 *
 * The order of a member's life: hello -> welcome -> (prepares: data, model, warm-up) -> join -> epoch -> ready ->
 * plan -> vote -> commit -> plan -> ... and at any moment another epoch, which ends whatever was under way.
 */
import type { Hash } from "../../base/hash.ts";
import type { PathKind, PeerId } from "../transport/transport.ts";
import type { MemorySummary } from "./memory-summary.ts";

/** Grows when any message or frame changes its meaning; peers of another version are refused with one sentence. */
export const PROTOCOL_VERSION = 1;

/** Fixed number of parts that parameters and optimizer state are cut into: divisible by 2 to 6, 8, 10 and 12, so that owners' shares are equal. */
export const SHARDS = 120;

/** Text or images that a run trains on, named by content. Null stands for the run's own default data. */
export interface DataSpec {
  readonly hash: Hash;
  readonly bytes: number;
  readonly name: string;
}

/** What a room trains. Fixed when the room is made. */
export interface RunSpec {
  /** Name of a run that the app's origin serves: "char-gpt". */
  readonly run: string;
  readonly seed: number;
  /** Optimizer updates until the run ends. */
  readonly steps: number;
  /** Steps between checkpoints. */
  readonly checkpointEvery: number;
  /** Members to wait for before the first epoch of an incarnation that starts or resumes a run. */
  readonly startWith: number;
  readonly data: DataSpec | null;
  /** `--set key=value`: the run's own knobs. */
  readonly settings: Readonly<Record<string, string>>;
}

/** A committed state, by content. Equal records mean equal bytes. */
export interface CommitRecord {
  readonly incarnation: number;
  readonly epoch: number;
  readonly step: number;
  /** H(previous chain, epoch, members, optimizer shard hashes): names the history. */
  readonly chain: Hash;
  readonly previous: Hash;
  /** Root over `parameters`. */
  readonly parameterRoot: Hash;
  /** Hash of each parameter shard. Length SHARDS. */
  readonly parameters: readonly Hash[];
  /** Hash of each optimizer shard. Length SHARDS. */
  readonly optimizer: readonly Hash[];
  /** Root over parameters, optimizer, and the run's seed and step (which are the sampler's and random state): names the bytes. */
  readonly stateHash: Hash;
}

/** Bytes that a member holds in memory, by content. */
export interface Inventory {
  /** Roots of complete parameter sets: committed, and pending where there is one. */
  readonly parameterRoots: readonly Hash[];
  /** [shard, hash] of each optimizer shard held. */
  readonly optimizer: readonly (readonly [number, Hash])[];
  /** Steps of checkpoints on this device's disk, with the shards of each that its markers list. */
  readonly stored: readonly StoredGeneration[];
}

export interface StoredGeneration {
  readonly step: number;
  readonly chain: Hash;
  readonly shards: readonly number[];
}

/** What a member is, for people and for placement. */
export interface MemberInfo {
  readonly peer: PeerId;
  /** Names the browser profile: tabs with the same one share GPU and storage. */
  readonly device: string;
  /** "webgpu: SwiftShader", "reference: CPU (JavaScript)". */
  readonly engine: string;
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
    }
  /** Linked to every member and holding what the epoch's map asks for (a listener: linked). */
  | { readonly kind: "ready"; readonly incarnation: number; readonly epoch: number; readonly inventory: Inventory }
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
      readonly times: StepTimes;
      /** Since the last vote. */
      readonly bytesSent: ByteCounts;
      readonly paths: Readonly<Record<PeerId, PathKind>>;
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
    }
  | {
      readonly kind: "stored";
      readonly step: number;
      readonly chain: Hash;
      /** Shards on this device's disk, marker written. Empty when the disk refused. */
      readonly shards: readonly number[];
      readonly error: string | null;
      readonly ms: number;
    }
  /** SHA-256 of the parameter bytes read back from the device, at checkpoints and at the end. */
  | { readonly kind: "digest"; readonly step: number; readonly chain: Hash; readonly digest: Hash }
  | { readonly kind: "heartbeat" }
  /** What this tab's device memory looks like, for people: every 2 s at most, and only where it changed. */
  | { readonly kind: "memory"; readonly memory: MemorySummary }
  /** Going on purpose (or pausing): out at the next boundary. */
  | { readonly kind: "leave"; readonly reason: string };

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
      readonly deadlineMs: number;
    }
  | {
      readonly kind: "plan";
      readonly incarnation: number;
      readonly epoch: number;
      readonly step: number;
      /** Slots by rank. */
      readonly slots: readonly (readonly number[])[];
      readonly deadlineMs: number;
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
  /** The last step is committed. */
  | { readonly kind: "finish"; readonly step: number; readonly chain: Hash }
  | { readonly kind: "event"; readonly line: RunLine }
  /** Who is here, once a second where it changed. */
  | { readonly kind: "roster"; readonly members: readonly RosterEntry[] }
  /** The newest memory of some members: of those that said something new, once in 2 s. */
  | { readonly kind: "memories"; readonly members: readonly MemberMemory[] };

/** What to do for a checkpoint of the step just committed. */
export interface CheckpointOrder {
  /** For each shard the ranks that write it. */
  readonly writers: readonly (readonly number[])[];
  /** Hash of each optimizer shard: a writer that is neither owner nor replica fetches it by these. */
  readonly optimizer: readonly Hash[];
  /** Whole generations in the log: every other one of this run may go once the new one is written. */
  readonly keep: readonly { readonly step: number; readonly chain: Hash }[];
}

export type RefusalCode = "unknown-room" | "protocol-version" | "malformed" | "busy" | "mismatch";

/** The loss of a step. */
export interface HistoryPoint {
  readonly step: number;
  readonly loss: number;
}

/** One member as people see it. */
export interface RosterEntry extends MemberInfo {
  readonly state: "preparing" | "waiting" | "syncing" | "training" | "paused";
  /** In the coming or running step. */
  readonly slots: number;
  readonly slotsPerSecond: number;
}

/** The device memory of a member. */
export interface MemberMemory {
  readonly peer: PeerId;
  readonly memory: MemorySummary;
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
  | { readonly type: "abort"; readonly step: number; readonly reason: string }
  | { readonly type: "rollback"; readonly to: number }
  | { readonly type: "waiting"; readonly reason: string; readonly devices: readonly string[] }
  | {
      readonly type: "checkpoint";
      readonly step: number;
      readonly generation: number;
      readonly ms: number;
      readonly copies: number;
      readonly digests: Readonly<Record<PeerId, Hash>>;
      readonly errors?: Readonly<Record<PeerId, string>>;
    }
  | {
      readonly type: "end";
      readonly steps: number;
      readonly loss: number;
      readonly digests: Readonly<Record<PeerId, Hash>>;
    };

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
