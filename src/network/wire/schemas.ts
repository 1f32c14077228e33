/**
 * What the values inside messages may be, with bounds on every length and number: they come from strangers.
 * Whole messages are in `validate.ts`.
 */
import * as v from "valibot";
import type { PathKind } from "../transport/transport.ts";
import type {
  ByteCounts,
  CheckpointOrder,
  CommitRecord,
  EpochMember,
  HistoryPoint,
  Inventory,
  MemberInfo,
  RosterEntry,
  RunLine,
  RunSpec,
  ShardMap,
  StepTimes,
} from "./messages.ts";
import { SHARDS } from "./messages.ts";

/** A schema for `T`. It strips keys it does not know. */
export type Schema<T> = v.GenericSchema<unknown, T>;
/** A schema for text, which may also be a key of a record. */
export type Text = v.GenericSchema<string>;

export const MEMBERS_MAX = 256;
export const HISTORY_MAX = 20_000;
const SLOTS_MAX = 65_536;
const GENERATIONS_MAX = 64;
const SETTINGS_MAX = 64;

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
const rank: Schema<number> = count(MEMBERS_MAX - 1);
const slot: Schema<number> = count(SLOTS_MAX - 1);
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
export const sentence: Schema<string> = text(500);
export const slots: Schema<number[]> = list(slot, SLOTS_MAX);
export const shards: Schema<number[]> = list(shard, SHARDS);

/** [shard, hash] of some shards. */
export const shardHashes: Schema<[number, string][]> = list(v.strictTuple([shard, hash]), 2 * SHARDS);
/** [slot, loss]. */
export const slotLosses: Schema<[number, number][]> = list(v.strictTuple([slot, finite]), SLOTS_MAX);

const path: Schema<PathKind> = oneOf<PathKind>({ webrtc: true, relay: true, port: true, simulated: true });
export const pathsByPeer: Schema<Record<string, PathKind>> = v.record(peer, path);

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
export const roster: Schema<RosterEntry[]> = list(
  v.object({
    ...infoFields,
    state: oneOf<RosterEntry["state"]>({ preparing: true, waiting: true, syncing: true, training: true, paused: true }),
    slots: slotCount,
    slotsPerSecond: amount,
  }),
  MEMBERS_MAX,
);

export const runSpec: Schema<RunSpec> = v.object({
  run: text(100),
  seed: v.pipe(v.number(), v.safeInteger()),
  steps: word,
  checkpointEvery: word,
  startWith: count(MEMBERS_MAX),
  data: v.nullable(v.object({ hash, bytes: amount, name: text(300) })),
  settings: v.pipe(v.record(text(100), text(1_000)), v.maxEntries(SETTINGS_MAX)),
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
  stored: list(v.object({ step: word, chain: hash, shards }), GENERATIONS_MAX),
});

export const shardMap: Schema<ShardMap> = v.object({ owner: perShard(rank), replica: perShard(rank) });
export const checkpointOrder: Schema<CheckpointOrder> = v.object({
  writers: perShard(list(rank, MEMBERS_MAX)),
  optimizer: perShard(hash),
  keep: list(v.object({ step: word, chain: hash }), GENERATIONS_MAX),
});
export const sourcesByShard: Schema<string[][]> = perShard(peers);
export const historyPoint: Schema<HistoryPoint> = v.object({ step: word, loss: finite });

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
  v.object({ type: v.literal("fault"), kind: text(100), step: word }),
  v.object({ type: v.literal("abort"), step: word, reason: sentence }),
  v.object({ type: v.literal("rollback"), to: word }),
  v.object({ type: v.literal("waiting"), reason: sentence, devices: list(text(100), MEMBERS_MAX) }),
  v.object({
    type: v.literal("checkpoint"),
    step: word,
    generation: word,
    ms: amount,
    copies: amount,
    digests: hashByPeer,
    errors: v.exactOptional(v.record(peer, sentence)),
  }),
  v.object({ type: v.literal("end"), steps: word, loss: finite, digests: hashByPeer }),
]);
