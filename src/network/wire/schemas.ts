/**
 * What the values inside messages may be, with bounds on every length and number: they come from strangers.
 * Whole messages are in `validate.ts`.
 */
import * as v from "valibot";
import { BYTES_PER_MS_MAX, LATENCY_MS_MAX, LINKED_MEMBERS_MAX, type LinkFigure } from "./link-levels.ts";
import type { PathKind } from "../transport/transport.ts";
import type {
  Audit,
  Backup,
  EpochMember,
  Fingerprint,
  HistoryPoint,
  IceServer,
  MemberInfo,
  Offer,
  RosterEntry,
  ShardMap,
} from "./messages.ts";
import type {
  ByteCounts,
  DecisionLine,
  Recovery,
  RecoverySource,
  RunLine,
  StepTimes,
  StragglerAction,
} from "./run-line.ts";
import type { CheckpointOrder, CommitRecord, Inventory, StateLayout, StripeSources } from "./state-record.ts";
import type { QueueSpec, RunSpec } from "./run-spec.ts";
import { SENTENCE_MAX } from "./run-line.ts";
import { SHARDS, UNITS_MAX } from "./state-record.ts";
import { SKETCH } from "./messages.ts";

/** A schema for `T`. It strips keys it does not know. */
export type Schema<T> = v.GenericSchema<unknown, T>;
/** A schema for text, which may also be a key of a record. */
export type Text = v.GenericSchema<string>;

export const MEMBERS_MAX = 256;
export const HISTORY_MAX = 20_000;
const SLOTS_MAX = 65_536;
const GENERATIONS_MAX = 64;
const SETTINGS_MAX = 64;
const TENSORS_MAX = 4_096;

/** A sentence, a name: anything for people. */
export function text(charactersMax: number): Text {
  return v.pipe(v.string(), v.maxLength(charactersMax));
}

/** An array of at most `countMax`. */
export function list<T>(item: Schema<T>, countMax: number): Schema<T[]> {
  return v.pipe(v.array(item), v.maxLength(countMax));
}

/** One of a union's strings. A record of all of them, so that a new one cannot be forgotten here. */
export function oneOf<T extends string>(all: Readonly<Record<T, true>>): Schema<T> {
  return v.picklist(Object.keys(all) as T[]);
}

/** One value for each shard. */
export function perShard<T>(item: Schema<T>): Schema<T[]> {
  return v.pipe(v.array(item), v.length(SHARDS));
}

/** An integer in [0, max]. */
function count(max: number): Schema<number> {
  return v.pipe(v.number(), v.integer(), v.minValue(0), v.maxValue(max));
}

export const word: Schema<number> = count(0xffff_ffff);
const shard: Schema<number> = count(SHARDS - 1);
export const rank: Schema<number> = count(MEMBERS_MAX - 1);
export const slot: Schema<number> = count(SLOTS_MAX - 1);
export const slotCount: Schema<number> = count(SLOTS_MAX);
export const finite: Schema<number> = v.pipe(v.number(), v.finite());
export const amount: Schema<number> = v.pipe(v.number(), v.finite(), v.minValue(0));
export const hash: Text = v.pipe(v.string(), v.regex(/^[0-9a-f]{64}$/, "expected a SHA-256 in hexadecimal"));
/** What PeerJS accepts as an id. */
export const peer: Text = v.pipe(
  v.string(),
  v.maxLength(64),
  v.regex(/^[A-Za-z0-9]+(?:[-_][A-Za-z0-9]+)*$/, "expected letters and digits, with single dashes between"),
);
export const peers: Schema<string[]> = list(peer, MEMBERS_MAX);
export const sentence: Schema<string> = text(SENTENCE_MAX);
export const slots: Schema<number[]> = list(slot, SLOTS_MAX);
export const ranks: Schema<number[]> = list(rank, MEMBERS_MAX);
export const backups: Schema<Backup[]> = list(v.strictTuple([rank, rank]), MEMBERS_MAX);
const shards: Schema<number[]> = list(shard, SHARDS);
const unit: Schema<number> = count(UNITS_MAX - 1);
export const units: Schema<number[]> = list(unit, UNITS_MAX);
/** [unit, hash over parameters, hash over optimizer state]. */
export const parityHashes: Schema<[number, string, string][]> = list(v.strictTuple([unit, hash, hash]), UNITS_MAX);

/** [shard, hash] of some shards. */
export const shardHashes: Schema<[number, string][]> = list(v.strictTuple([shard, hash]), 2 * SHARDS);
/** [slot, loss]. */
export const slotLosses: Schema<[number, number][]> = list(v.strictTuple([slot, finite]), SLOTS_MAX);
/** Own audited slots and those of others. */
const AUDITS_MAX = 2 * MEMBERS_MAX;
export const audits: Schema<Audit[]> = list(v.object({ slot, rank }), AUDITS_MAX);
const fingerprint: Schema<Fingerprint> = v.object({
  loss: finite,
  norm: amount,
  sketch: v.pipe(v.array(finite), v.length(SKETCH)),
});
/** [slot, fingerprint]. */
export const fingerprints: Schema<[number, Fingerprint | null][]> = list(
  v.strictTuple([slot, v.nullable(fingerprint)]),
  AUDITS_MAX,
);

const path: Schema<PathKind> = oneOf<PathKind>({ webrtc: true, page: true, port: true, relay: true, simulated: true });
export const pathsByPeer: Schema<Record<string, PathKind>> = v.record(peer, path);

function upTo(max: number): Schema<number> {
  return v.pipe(v.number(), v.minValue(0), v.maxValue(max));
}

/** [peer, latency, bandwidth] of the links from others. */
export const linkRow: Schema<LinkFigure[]> = list(
  v.strictTuple([peer, v.nullable(upTo(LATENCY_MS_MAX)), v.nullable(upTo(BYTES_PER_MS_MAX))]),
  LINKED_MEMBERS_MAX - 1,
);
/** One that is not for the members at hand is nobody's harm: all of them do without. */
export const linkLevels: Text = text(2 * LINKED_MEMBERS_MAX * (LINKED_MEMBERS_MAX - 1));

export const byteCounts: Schema<ByteCounts> = v.object({
  gradients: amount,
  parameters: amount,
  optimizerReplica: amount,
  checkpoint: amount,
  join: amount,
  control: amount,
});

export const stepTimes: Schema<StepTimes> = v.object({ compute: amount, network: amount, waiting: amount });

const infoFields = { peer, device: text(100), engine: text(200) };
export const memberInfo: Schema<MemberInfo> = v.object(infoFields);
export const epochMembers: Schema<EpochMember[]> = list(
  v.object({ ...infoFields, role: oneOf<EpochMember["role"]>({ full: true, listener: true }) }),
  MEMBERS_MAX,
);
const part: Schema<number> = v.pipe(v.number(), v.minValue(0), v.maxValue(1));

export const offer: Schema<Offer> = v.object({
  memoryBudgetMiB: v.exactOptional(amount),
  battery: v.exactOptional(v.object({ level: part, charging: v.boolean() })),
  isVisible: v.exactOptional(v.boolean()),
  share: v.exactOptional(part),
  minutesLeft: v.exactOptional(amount),
});

export const roster: Schema<RosterEntry[]> = list(
  v.object({
    ...infoFields,
    state: oneOf<RosterEntry["state"]>({
      preparing: true,
      waiting: true,
      syncing: true,
      training: true,
      paused: true,
      leaving: true,
    }),
    slots: slotCount,
    slotsPerSecond: amount,
    offer: v.exactOptional(offer),
  }),
  MEMBERS_MAX,
);

export const PRIORITY_MAX = 10;
const queueSpec: Schema<QueueSpec> = v.object({
  priority: count(PRIORITY_MAX),
  membersMin: count(MEMBERS_MAX),
  membersMax: count(MEMBERS_MAX),
});

export const runSpec: Schema<RunSpec> = v.object({
  run: text(100),
  seed: v.pipe(v.number(), v.safeInteger()),
  steps: word,
  checkpointEvery: word,
  startWith: count(MEMBERS_MAX),
  data: v.nullable(v.object({ hash, bytes: amount, name: text(300) })),
  from: v.exactOptional(v.object({ hash, bytes: amount, name: text(300), step: word })),
  settings: v.pipe(v.record(text(100), text(1_000)), v.maxEntries(SETTINGS_MAX)),
  queue: v.exactOptional(queueSpec),
});

export const commitRecord: Schema<CommitRecord> = v.object({
  incarnation: word,
  epoch: word,
  step: word,
  chain: hash,
  previous: hash,
  parameterRoot: hash,
  parameters: perShard(hash),
  optimizer: perShard(hash),
  stateHash: hash,
});

export const inventory: Schema<Inventory> = v.object({
  parameterRoots: list(hash, 16),
  // The committed version, a pending one, and older ones that others may still fetch.
  optimizer: list(v.strictTuple([shard, hash]), 8 * SHARDS),
  stored: list(v.object({ step: word, chain: hash, shards: units }), GENERATIONS_MAX),
});

export const shardMap: Schema<ShardMap> = v.object({ owner: perShard(rank), replica: perShard(rank) });
const ICE_URLS_MAX = 16;
export const iceServers: Schema<IceServer[]> = list(
  v.object({
    urls: list(text(300), ICE_URLS_MAX),
    username: v.exactOptional(text(300)),
    credential: v.exactOptional(text(300)),
  }),
  ICE_URLS_MAX,
);
export const stripeSources: Schema<StripeSources[]> = list(
  v.object({
    shards,
    parity: list(v.object({ row: count(SHARDS), parameter: hash, optimizer: hash, sources: peers }), SHARDS),
  }),
  SHARDS,
);
export const checkpointOrder: Schema<CheckpointOrder> = v.object({
  writers: list(list(rank, MEMBERS_MAX), UNITS_MAX),
  stripes: list(v.object({ shards, parity: units }), SHARDS),
  optimizer: perShard(hash),
  keep: list(v.object({ step: word, chain: hash }), GENERATIONS_MAX),
  parity: v.exactOptional(v.object({ parameters: perShard(hash), optimizer: perShard(hash), stripes: stripeSources })),
});
export const stateLayout: Schema<StateLayout> = v.object({
  tensors: list(
    v.object({ name: text(300), dtype: text(20), shape: list(word, 16), offset: count(Number.MAX_SAFE_INTEGER) }),
    TENSORS_MAX,
  ),
  optimizer: v.object({
    name: text(100),
    options: v.pipe(v.record(text(100), finite), v.maxEntries(SETTINGS_MAX)),
    vectors: list(text(100), 16),
  }),
  lossScale: v.nullable(finite),
});
export const sourcesByShard: Schema<string[][]> = perShard(peers);
export const historyPoint: Schema<HistoryPoint> = v.object({ step: word, loss: finite });

export const recoveries: Schema<Recovery[]> = list(
  v.object({
    source: oneOf<RecoverySource>({ memory: true, disk: true, peers: true, parity: true }),
    shards: word,
    bytes: amount,
    ms: amount,
  }),
  8,
);

type MemberEvent = Extract<RunLine, { type: "member" }>["event"];

const hashByPeer: Schema<Record<string, string>> = v.record(peer, hash);

/** A line of `swarm --json`. */
export const runLine: Schema<RunLine> = v.variant("type", [
  v.object({
    type: v.literal("step"),
    step: word,
    loss: finite,
    incarnation: word,
    epoch: word,
    members: peers,
    chain: hash,
    ms: amount,
    transport: v.record(text(200), path),
    bytesSent: v.record(peer, byteCounts),
    times: v.record(peer, stepTimes),
  }),
  v.object({
    type: v.literal("member"),
    event: oneOf<MemberEvent>({ join: true, leave: true, lost: true }),
    peer,
    step: word,
    reason: v.exactOptional(sentence),
  }),
  v.object({
    type: v.literal("decision"),
    step: word,
    about: oneOf<DecisionLine["about"]>({ epoch: true, slots: true, member: true, checkpoint: true }),
    text: sentence,
    peers,
  }),
  v.object({ type: v.literal("fault"), kind: text(100), step: word }),
  v.object({ type: v.literal("abort"), step: word, reason: sentence }),
  v.object({ type: v.literal("rollback"), to: word }),
  v.object({
    type: v.literal("straggler"),
    peer,
    step: word,
    action: oneOf<StragglerAction>({ less: true, backup: true, dropped: true }),
    reason: sentence,
  }),
  v.object({ type: v.literal("recovery"), peer, step: word, sources: recoveries }),
  v.object({ type: v.literal("waiting"), reason: sentence, devices: list(text(100), MEMBERS_MAX) }),
  v.object({
    type: v.literal("checkpoint"),
    step: word,
    generation: word,
    ms: amount,
    copies: amount,
    lossChance: v.exactOptional(amount),
    scheme: v.exactOptional(v.strictTuple([word, word])),
    digests: hashByPeer,
    errors: v.exactOptional(v.record(peer, sentence)),
  }),
  v.object({ type: v.literal("end"), steps: word, loss: finite, digests: hashByPeer }),
]);
