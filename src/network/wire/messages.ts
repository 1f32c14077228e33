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

/** Grows when any message or frame changes its meaning; peers of another version are refused with one sentence. */
export const PROTOCOL_VERSION = 3;

/** Fixed number of parts that parameters and optimizer state are cut into: divisible by 2 to 6, 8, 10 and 12, so that owners' shares are equal. */
export const SHARDS = 120;

/** Units of a checkpoint at most: shards, and up to eight rows of parity of stripes of two or more. */
export const UNITS_MAX: number = 5 * SHARDS;

/** Text or images that a run trains on, named by content. Null stands for the run's own default data. */
export interface DataSpec {
  readonly hash: Hash;
  readonly bytes: number;
  readonly name: string;
}

/** A run's exported state, that another run goes on from. */
export interface ImportSpec extends DataSpec {
  /** That the state is after: the run begins with the one that follows. */
  readonly step: number;
}

/** The step that a run's first state is after: 0, or where the state came from that it goes on from. */
export function firstStepOf({ from }: Pick<RunSpec, "from">): number {
  return from?.step ?? 0;
}

/** What a room trains. Fixed when the room is made. */
export interface RunSpec {
  /** Name of a run that the app's origin serves: "char-gpt". */
  readonly run: string;
  readonly seed: number;
  /** The last step: optimizer updates until the run ends, those before `from` included. */
  readonly steps: number;
  /** Steps between checkpoints. */
  readonly checkpointEvery: number;
  /** Members to wait for before the first epoch of an incarnation that starts or resumes a run. */
  readonly startWith: number;
  readonly data: DataSpec | null;
  /** The state to begin with; the one that the seed gives unless told. */
  readonly from?: ImportSpec;
  /** `--set key=value`: the run's own knobs. */
  readonly settings: Readonly<Record<string, string>>;
  /** Where the server's pool is to train it; without it whoever opens the link does. */
  readonly queue?: QueueSpec;
}

/** What a run asks of the pool. */
export interface QueueSpec {
  /** From 0; higher goes first. */
  readonly priority: number;
  /** It starts with so many members at once, and has so many at most. */
  readonly membersMin: number;
  readonly membersMax: number;
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
  /** Units: shards, and parity by the number that its checkpoint gave it. */
  readonly shards: readonly number[];
}

/** Shards that parity protects together: any `shards.length` of both give the others. Each is on another device. */
export interface Stripe {
  readonly shards: readonly number[];
  /** Units by row of the code. */
  readonly parity: readonly number[];
}

/** Parity of a checkpoint by content, and who has it. */
export interface StripeSources {
  readonly shards: readonly number[];
  readonly parity: readonly {
    readonly row: number;
    readonly parameter: Hash;
    readonly optimizer: Hash;
    readonly sources: readonly PeerId[];
  }[];
}

/** A tensor's place in a flat state. */
export interface TensorLayout {
  readonly name: string;
  readonly dtype: string;
  readonly shape: readonly number[];
  /** Of its first element among the parameters. */
  readonly offset: number;
}

/** What the bytes of a state are, so that they can be read without the program that made them. */
export interface StateLayout {
  readonly tensors: readonly TensorLayout[];
  /** The rule and its numbers, and the names of its state vectors, each as long as the parameters. */
  readonly optimizer: {
    readonly name: string;
    readonly options: Readonly<Record<string, number>>;
    readonly vectors: readonly string[];
  };
  readonly lossScale: number | null;
}

/** Where bytes came from when a state was put together, cheapest first. */
export type RecoverySource = "memory" | "disk" | "peers" | "parity";

/** What one source gave, and how long it took. */
export interface Recovery {
  readonly source: RecoverySource;
  readonly shards: number;
  readonly bytes: number;
  readonly ms: number;
}

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

/** What to do for a checkpoint of the step just committed. */
export interface CheckpointOrder {
  /** For each unit, shards first and then parity, the ranks that write it. */
  readonly writers: readonly (readonly number[])[];
  readonly stripes: readonly Stripe[];
  /** Hash of each optimizer shard: a writer that is neither owner nor replica fetches it by these. */
  readonly optimizer: readonly Hash[];
  /** Whole generations in the log: every other one of this run may go once the new one is written. */
  readonly keep: readonly { readonly step: number; readonly chain: Hash }[];
  /** Of the newest of them, where it has any: what rotted on a disk is mended from it. */
  readonly parity?: StoredParity;
}

/** A checkpoint's shards by content, and the parity over them. */
export interface StoredParity {
  /** Length SHARDS, as `optimizer`. */
  readonly parameters: readonly Hash[];
  readonly optimizer: readonly Hash[];
  readonly stripes: readonly StripeSources[];
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
