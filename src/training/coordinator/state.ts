/** The coordinator's state: a durable part, rebuilt by folding the log, and what only lives while members are connected. */
import type { Hash } from "../../base/hash.ts";
import type { PeerId } from "../../network/transport/transport.ts";
import type { MemorySummary } from "../../network/wire/memory-summary.ts";
import type {
  ClientMessage,
  CommitRecord,
  EpochMember,
  HistoryPoint,
  Inventory,
  MemberInfo,
  RosterEntry,
  RunSpec,
  ShardMap,
} from "../../network/wire/messages.ts";
import type { Departures } from "./flapping.ts";
import type { LogRecord } from "./protocol.ts";

/** A checkpoint that was whole when it was logged. */
export interface Generation {
  readonly generation: number;
  readonly record: CommitRecord;
  readonly loss: number;
  readonly holders: readonly (readonly string[])[];
}

/** What survives the process: exactly the fold of the log. */
export interface Durable {
  readonly room: string;
  readonly spec: RunSpec | null;
  readonly incarnation: number;
  readonly epoch: number;
  readonly lastMembers: readonly { readonly peer: PeerId; readonly device: string }[];
  readonly record: CommitRecord | null;
  readonly loss: number;
  /** Newest last, two at most. */
  readonly generations: readonly Generation[];
  readonly generationCount: number;
  /** One point a committed step, oldest first; every other one is dropped when there are HISTORY_MAX. */
  readonly history: readonly HistoryPoint[];
  /** What every member's device read back at the end; null before it. */
  readonly endDigests: Readonly<Record<PeerId, Hash>> | null;
}

/** A member's connection and what is known of it. */
export interface PeerState {
  readonly info: MemberInfo;
  readonly conn: string;
  readonly status: "preparing" | "joined" | "paused";
  readonly heardAtMs: number;
  readonly joinedAtMs: number;
  readonly slotsPerSecond: number;
  /** True once a vote told its speed: a warm-up on a busy machine tells little. */
  readonly isMeasured: boolean;
  readonly inventory: Inventory;
  readonly genesis: { readonly parameters: readonly Hash[]; readonly optimizer: readonly Hash[] } | null;
  /** Not to be taken into an epoch before this time: it could not reach others, or its results differed. */
  readonly heldUntilMs: number;
  /** What it last said of its device memory: for people. */
  readonly memory: MemorySummary | null;
}

export type Vote = Extract<ClientMessage, { kind: "vote" }>;

/** The epoch that members are in or are forming. */
export interface Epoch {
  readonly members: readonly EpochMember[];
  /** Sockets by rank: a member that reconnected is no longer the one that was counted on. */
  readonly conns: readonly string[];
  readonly map: ShardMap;
  readonly slots: readonly (readonly number[])[] | null;
}

export type Phase =
  /** No epoch: form one when there is a state to go on from, and somebody to go on with. */
  | { readonly kind: "idle"; readonly notBeforeMs: number }
  | { readonly kind: "forming"; readonly ready: ReadonlySet<PeerId>; readonly deadlineAtMs: number }
  /** The epoch stands and its last step is committed. */
  | { readonly kind: "boundary" }
  | {
      readonly kind: "stepping";
      readonly step: number;
      readonly votes: ReadonlyMap<PeerId, Vote>;
      /** Peers that said they cannot finish, and why. */
      readonly failed: ReadonlyMap<PeerId, string>;
      readonly startedAtMs: number;
      readonly deadlineAtMs: number;
    }
  | { readonly kind: "finishing"; readonly deadlineAtMs: number }
  | { readonly kind: "ended" };

/** A checkpoint whose parts are being written. */
export interface OpenCheckpoint {
  readonly record: CommitRecord;
  readonly loss: number;
  readonly startedAtMs: number;
  /** Shards that each peer was asked to write. */
  readonly asked: ReadonlyMap<PeerId, readonly number[]>;
  readonly stored: ReadonlyMap<
    PeerId,
    { readonly shards: readonly number[]; readonly device: string; readonly error: string | null; readonly ms: number }
  >;
  readonly digests: ReadonlyMap<PeerId, Hash>;
  /** Members whose digest is awaited. */
  readonly members: readonly PeerId[];
}

export interface State {
  readonly durable: Durable;
  readonly peers: ReadonlyMap<PeerId, PeerState>;
  /** Sockets that only watch. */
  readonly observers: ReadonlySet<string>;
  readonly phase: Phase;
  readonly epoch: Epoch | null;
  readonly checkpoint: OpenCheckpoint | null;
  /** Digests that came after the last step, while the end is waited for. */
  readonly lastDigests: ReadonlyMap<PeerId, Hash>;
  /** How often each pair, "a|b" sorted, failed to link since it last worked. */
  readonly brokenPairs: ReadonlyMap<string, number>;
  /** How often a peer promised a hash, "peer|hash", and nobody got it from there. */
  readonly badHashes: ReadonlyMap<string, number>;
  /** By device. */
  readonly departures: ReadonlyMap<string, Departures>;
  /** Attempts to form or step in a row that failed. */
  readonly failures: number;
  /** Since when the committed state has had no complete set of copies; null while it has. */
  readonly uncoveredSinceMs: number | null;
  readonly firstJoinAtMs: number | null;
  /** True once an epoch of this incarnation has been formed. */
  readonly hasFormed: boolean;
  readonly usualStepMs: number;
  /** Parts of a step's batch; known once the first member joined. */
  readonly slots: number | null;
  readonly waitingReason: string | null;
  /** The last roster sent, and when: it goes out once a second at most. */
  readonly roster: readonly RosterEntry[];
  readonly rosterAtMs: number;
  /** Members whose memory changed since it was passed on, those that wait longest first. */
  readonly memoryNews: readonly PeerId[];
  readonly memoryToldAtMs: number;
}

const HISTORY_MAX = 2_000;

export function initialState(): State {
  return {
    durable: {
      room: "",
      spec: null,
      incarnation: 0,
      epoch: 0,
      lastMembers: [],
      record: null,
      loss: 0,
      generations: [],
      generationCount: 0,
      history: [],
      endDigests: null,
    },
    peers: new Map(),
    observers: new Set(),
    phase: { kind: "idle", notBeforeMs: 0 },
    epoch: null,
    checkpoint: null,
    lastDigests: new Map(),
    brokenPairs: new Map(),
    badHashes: new Map(),
    departures: new Map(),
    failures: 0,
    uncoveredSinceMs: null,
    firstJoinAtMs: null,
    hasFormed: false,
    usualStepMs: 0,
    slots: null,
    waitingReason: null,
    roster: [],
    rosterAtMs: Number.NEGATIVE_INFINITY,
    memoryNews: [],
    memoryToldAtMs: Number.NEGATIVE_INFINITY,
  };
}

/** Folds one log record into the durable part: replaying the whole log rebuilds it. */
export function replay(state: State, record: LogRecord): State {
  return { ...state, durable: fold(state.durable, record) };
}

function fold(durable: Durable, record: LogRecord): Durable {
  switch (record.kind) {
    case "room":
      return { ...durable, room: record.room, spec: record.spec };
    case "incarnation":
      return { ...durable, incarnation: record.incarnation };
    case "epoch":
      return { ...durable, epoch: record.epoch, lastMembers: record.members };
    case "commit":
      return {
        ...durable,
        record: record.record,
        loss: record.loss,
        history:
          record.record.step === 0 ? [] : extended(durable.history, { step: record.record.step, loss: record.loss }),
      };
    case "checkpoint":
      return {
        ...durable,
        generations: [...durable.generations, record].slice(-2),
        generationCount: record.generation,
      };
    case "rollback":
      return rolledBack(durable, record.generation);
    case "history":
      return { ...durable, history: record.points };
    case "end":
      return { ...durable, endDigests: record.digests };
  }
}

/** Generation 0 is the state of step 0, which every member can compute from the seed. */
function rolledBack(durable: Durable, generation: number): Durable {
  const found = durable.generations.find((candidate) => candidate.generation === generation);
  const step = found?.record.step ?? 0;
  return {
    ...durable,
    record: found?.record ?? null,
    loss: found?.loss ?? 0,
    generations: durable.generations.filter((candidate) => candidate.generation <= generation),
    history: durable.history.filter((point) => point.step <= step),
    endDigests: null,
  };
}

function extended(history: readonly HistoryPoint[], point: HistoryPoint): HistoryPoint[] {
  const kept = history.length < HISTORY_MAX ? history : history.filter((_, index) => index % 2 === 1);
  return [...kept, point];
}
