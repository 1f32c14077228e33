/** The coordinator's state: a durable part, rebuilt by folding the log, and what only lives while members are connected. */
import { CorruptDataError } from "../../base/errors.ts";
import type { Hash } from "../../base/hash.ts";
import type { PeerId } from "../../network/transport/transport.ts";
import type { MemorySummary } from "../../network/wire/memory-summary.ts";
import type {
  Audit,
  ClientMessage,
  EpochMember,
  HistoryPoint,
  MemberInfo,
  RosterEntry,
  ShardMap,
} from "../../network/wire/messages.ts";
import type { CommitRecord, Inventory, StateLayout, Stripe } from "../../network/wire/state-record.ts";
import type { RunSpec } from "../../network/wire/run-spec.ts";
import { firstStepOf } from "../../network/wire/run-spec.ts";
import type { Dispute } from "./audit-claims.ts";
import { NOBODY_SEEN, type Presence } from "./churn.ts";
import { NOTHING_TOLD, type Told } from "./decisions.ts";
import type { Departures } from "./flapping.ts";
import type { LinkRow, ToldLinks } from "./links.ts";
import { foldQuarantine, type Quarantines } from "./quarantine.ts";
import type { Scheme } from "./durability.ts";
import type { LogRecord, StoredStripe } from "./protocol.ts";
import { NO_STRAGGLERS, type Cover, type Stragglers } from "./straggler-state.ts";
import type { Offered } from "./offers.ts";
import type { Retiring } from "./retiring.ts";

/** A checkpoint that was whole when it was logged. */
export interface Generation {
  readonly generation: number;
  readonly record: CommitRecord;
  readonly loss: number;
  /** By unit: shards, then parity. */
  readonly holders: readonly (readonly string[])[];
  readonly stripes: readonly StoredStripe[];
  readonly layout: StateLayout | null;
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
  /** Of devices that are put out, and of those that were lately. */
  readonly quarantines: Quarantines;
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
  /** Set once it has said that it goes: no epoch takes it in any more, and what it holds can still be had. */
  readonly retiring: Retiring | null;
  /** What it last said of its device memory: for people. */
  readonly memory: MemorySummary | null;
  /** What it last said that it gives. */
  readonly offered: Offered | null;
  /** What it last said that links to it cost. */
  readonly links: LinkRow;
}

export type Vote = Extract<ClientMessage, { kind: "vote" }>;

/** The epoch that members are in or are forming. */
export interface Epoch {
  readonly members: readonly EpochMember[];
  /** Sockets by rank: a member that reconnected is no longer the one that was counted on. */
  readonly conns: readonly string[];
  readonly map: ShardMap;
  readonly slots: readonly (readonly number[])[] | null;
  /** What its members choose programs by; null for the usual rule. */
  readonly links: ToldLinks | null;
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
      /** Of a step whose stragglers are backed up. */
      readonly cover: Cover | null;
      readonly audits: readonly Audit[];
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
  /** What was chosen, and the chance of loss that comes with it. */
  readonly scheme: Scheme;
  readonly lossChance: number;
  readonly stripes: readonly Stripe[];
  /** Units that each peer was asked to write. */
  readonly asked: ReadonlyMap<PeerId, readonly number[]>;
  readonly stored: ReadonlyMap<PeerId, StoredPart>;
  readonly digests: ReadonlyMap<PeerId, Hash>;
  /** Members whose digest is awaited. */
  readonly members: readonly PeerId[];
}

/** What a writer said to have stored. */
export interface StoredPart {
  readonly units: readonly number[];
  readonly parity: readonly (readonly [unit: number, parameter: Hash, optimizer: Hash])[];
  readonly device: string;
  readonly error: string | null;
  readonly ms: number;
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
  /** Pairs that reached each other only through the server, as of the last commit. */
  readonly relayedPairs: readonly (readonly [PeerId, PeerId])[];
  /** How often a peer promised a hash, "peer|hash", and nobody got it from there. */
  readonly badHashes: ReadonlyMap<string, number>;
  /** By device. */
  readonly departures: ReadonlyMap<string, Departures>;
  /** The wall's time where the coordinator's own is 0. */
  readonly wallOffsetMs: number;
  /** A slot of the next step that devices disagree about. */
  readonly dispute: Dispute | null;
  /** By device: the step at which its results were last seen to agree with another's. */
  readonly agreedAt: ReadonlyMap<string, number>;
  readonly presence: Presence;
  readonly stragglers: Stragglers;
  /** What the state's bytes are, as the first member told. */
  readonly layout: StateLayout | null;
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
  /** "asked": the next commit is a checkpoint; "held": it was, and no step is planned. */
  readonly hold: "none" | "asked" | "held";
  /** The last roster sent, and when: it goes out once a second at most. */
  readonly roster: readonly RosterEntry[];
  readonly rosterAtMs: number;
  /** Members whose memory changed since it was passed on, those that wait longest first. */
  readonly memoryNews: readonly PeerId[];
  readonly memoryToldAtMs: number;
  /** Decisions told to people lately. */
  readonly told: Told;
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
      quarantines: new Map(),
    },
    peers: new Map(),
    observers: new Set(),
    phase: { kind: "idle", notBeforeMs: 0 },
    epoch: null,
    checkpoint: null,
    lastDigests: new Map(),
    brokenPairs: new Map(),
    relayedPairs: [],
    badHashes: new Map(),
    departures: new Map(),
    wallOffsetMs: 0,
    dispute: null,
    agreedAt: new Map(),
    presence: NOBODY_SEEN,
    stragglers: NO_STRAGGLERS,
    layout: null,
    failures: 0,
    uncoveredSinceMs: null,
    firstJoinAtMs: null,
    hasFormed: false,
    usualStepMs: 0,
    slots: null,
    waitingReason: null,
    hold: "none",
    roster: [],
    rosterAtMs: Number.NEGATIVE_INFINITY,
    memoryNews: [],
    memoryToldAtMs: Number.NEGATIVE_INFINITY,
    told: NOTHING_TOLD,
  };
}

/** Folds one log record into the durable part: replaying the whole log rebuilds it. @throws CorruptDataError */
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
          record.record.step === firstStep(durable)
            ? []
            : extended(durable.history, { step: record.record.step, loss: record.loss }),
      };
    case "checkpoint": {
      const { generation, holders, loss, stripes = [], layout = null } = record;
      const written: Generation = { generation, record: record.record, loss, holders, stripes, layout };
      return {
        ...durable,
        generations: [...durable.generations, written].slice(-2),
        generationCount: record.generation,
      };
    }
    case "rollback":
      return rolledBack(durable, record.generation);
    case "history":
      return { ...durable, history: record.points };
    case "end":
      return { ...durable, endDigests: record.digests };
    case "quarantine":
      return { ...durable, quarantines: foldQuarantine(durable.quarantines, record) };
    default:
      throw new CorruptDataError(
        `log: expected a record of a known kind, found ${JSON.stringify(record satisfies never)}`,
      );
  }
}

/** Generation 0 is the first state, which every member computes from the seed or has as a file. */
function rolledBack(durable: Durable, generation: number): Durable {
  const found = durable.generations.find((candidate) => candidate.generation === generation);
  const step = found?.record.step ?? firstStep(durable);
  return {
    ...durable,
    record: found?.record ?? null,
    loss: found?.loss ?? 0,
    generations: durable.generations.filter((candidate) => candidate.generation <= generation),
    history: durable.history.filter((point) => point.step <= step),
    endDigests: null,
  };
}

function firstStep({ spec }: Durable): number {
  return spec ? firstStepOf(spec) : 0;
}

function extended(history: readonly HistoryPoint[], point: HistoryPoint): HistoryPoint[] {
  const kept = history.length < HISTORY_MAX ? history : history.filter((_, index) => index % 2 === 1);
  return [...kept, point];
}
