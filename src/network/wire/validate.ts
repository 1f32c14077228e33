/**
 * Checks what arrives over the WebSocket: text in, a message of `messages.ts` out, or a ProtocolError in one sentence.
 * Nothing unchecked goes further.
 */
import * as v from "valibot";
import { ProtocolError } from "../../base/errors.ts";
import type { ClientMessage, RefusalCode, ServerMessage } from "./messages.ts";
import { memorySummary } from "./memory-schema.ts";
import { PROTOCOL_VERSION } from "./messages.ts";
import { SHARDS } from "./state-record.ts";
import * as is from "./schemas.ts";
import type { Schema } from "./schemas.ts";

/** Bounds on a message's text. A vote of one member with all shards is about 25 kB, an epoch of 40 about 200 kB. */
export const CLIENT_MESSAGE_CHARACTERS_MAX: number = 512 * 1024;
const SERVER_MESSAGE_CHARACTERS_MAX = 8 * 1024 * 1024;

type Hello = Extract<ClientMessage, { kind: "hello" }>;

const role = is.oneOf<Hello["role"]>({ member: true, observer: true });

const clientMessage: Schema<ClientMessage> = v.variant("kind", [
  v.object({
    kind: v.literal("hello"),
    protocol: v.literal(PROTOCOL_VERSION),
    room: is.text(100),
    role,
    info: is.memberInfo,
  }),
  v.object({
    kind: v.literal("join"),
    engine: is.text(200),
    slots: is.slotCount,
    slotsPerSecond: is.amount,
    inventory: is.inventory,
    genesis: v.object({ parameters: is.perShard(is.hash), optimizer: is.perShard(is.hash) }),
    layout: v.exactOptional(is.stateLayout),
    leaving: v.exactOptional(v.literal(true)),
  }),
  v.object({
    kind: v.literal("ready"),
    incarnation: is.word,
    epoch: is.word,
    inventory: is.inventory,
    recovered: v.exactOptional(is.recoveries),
    links: v.exactOptional(is.linkRow),
  }),
  v.object({ kind: v.literal("computed"), incarnation: is.word, epoch: is.word, step: is.word, rank: is.rank }),
  v.object({
    kind: v.literal("vote"),
    incarnation: is.word,
    epoch: is.word,
    step: is.word,
    parameterRoot: is.hash,
    parameters: is.shardHashes,
    optimizer: is.shardHashes,
    losses: is.slotLosses,
    fingerprints: v.exactOptional(is.fingerprints),
    times: is.stepTimes,
    bytesSent: is.byteCounts,
    paths: is.pathsByPeer,
    links: v.exactOptional(is.linkRow),
  }),
  v.object({
    kind: v.literal("failed"),
    incarnation: is.word,
    epoch: is.word,
    reason: is.text(2_000),
    unreachable: is.peers,
    missing: is.list(is.hash, 8 * SHARDS),
    slot: v.exactOptional(is.slot),
  }),
  v.object({
    kind: v.literal("stored"),
    step: is.word,
    chain: is.hash,
    shards: is.units,
    parity: v.exactOptional(is.parityHashes),
    error: v.nullable(is.text(2_000)),
    ms: is.amount,
  }),
  v.object({ kind: v.literal("digest"), step: is.word, chain: is.hash, digest: is.hash }),
  v.object({ kind: v.literal("heartbeat") }),
  v.object({ kind: v.literal("memory"), memory: memorySummary }),
  v.object({ kind: v.literal("offer"), offer: is.offer }),
  v.object({ kind: v.literal("leave"), reason: is.sentence, handsOver: v.exactOptional(v.literal(true)) }),
]);

const serverMessage: Schema<ServerMessage> = v.variant("kind", [
  v.object({
    kind: v.literal("welcome"),
    spec: is.runSpec,
    incarnation: is.word,
    step: is.word,
    peers: is.peers,
    history: is.list(is.historyPoint, is.HISTORY_MAX),
  }),
  v.object({
    kind: v.literal("network"),
    iceServers: is.iceServers,
    relayTicket: v.nullable(is.text(500)),
  }),
  v.object({
    kind: v.literal("refused"),
    code: is.oneOf<RefusalCode>({
      "unknown-room": true,
      "protocol-version": true,
      malformed: true,
      busy: true,
      mismatch: true,
    }),
    reason: is.text(2_000),
  }),
  v.object({
    kind: v.literal("epoch"),
    incarnation: is.word,
    epoch: is.word,
    members: is.epochMembers,
    map: is.shardMap,
    record: is.commitRecord,
    optimizerSources: is.sourcesByShard,
    parameterSources: is.sourcesByShard,
    stripes: is.stripeSources,
    deadlineMs: is.amount,
  }),
  v.object({
    kind: v.literal("plan"),
    incarnation: is.word,
    epoch: is.word,
    step: is.word,
    slots: is.list(is.slots, is.MEMBERS_MAX),
    backups: v.exactOptional(is.backups),
    audits: v.exactOptional(is.audits),
    links: v.exactOptional(is.linkLevels),
    deadlineMs: is.amount,
  }),
  v.object({ kind: v.literal("reduce"), incarnation: is.word, epoch: is.word, step: is.word, late: is.ranks }),
  v.object({
    kind: v.literal("commit"),
    incarnation: is.word,
    epoch: is.word,
    step: is.word,
    chain: is.hash,
    parameterRoot: is.hash,
    loss: is.finite,
    checkpoint: v.nullable(is.checkpointOrder),
  }),
  v.object({ kind: v.literal("waiting"), reason: is.text(2_000), devices: is.list(is.text(100), is.MEMBERS_MAX) }),
  v.object({ kind: v.literal("released") }),
  v.object({ kind: v.literal("finish"), step: is.word, chain: is.hash }),
  v.object({ kind: v.literal("event"), line: is.runLine }),
  v.object({ kind: v.literal("roster"), members: is.roster }),
  v.object({
    kind: v.literal("memories"),
    members: is.list(v.object({ peer: is.peer, memory: memorySummary }), is.MEMBERS_MAX),
  }),
]);

/**
 * What a client said. A hello of another protocol version comes through whatever else is in it, its other fields
 * blank where they do not fit, so that it can be refused with `versionRefusal`.
 * @throws ProtocolError
 */
export function parseClientMessage(text: string): ClientMessage {
  const value = parseJson("client message", text, CLIENT_MESSAGE_CHARACTERS_MAX);
  return foreignHello(value) ?? check("client message", clientMessage, value);
}

/** What the server said. @throws ProtocolError */
export function parseServerMessage(text: string): ServerMessage {
  return check("server message", serverMessage, parseJson("server message", text, SERVER_MESSAGE_CHARACTERS_MAX));
}

/** The sentence for a hello of another protocol version, or null when it speaks ours. */
export function versionRefusal(protocol: number): string | null {
  if (protocol === PROTOCOL_VERSION) return null;
  const older =
    protocol < PROTOCOL_VERSION ? "This page is older than the server" : "This page is newer than the server";
  return `${older}: it speaks protocol version ${protocol}, the server version ${PROTOCOL_VERSION}. Reload the page.`;
}

const foreign = v.object({
  kind: v.literal("hello"),
  protocol: v.pipe(v.number(), v.notValue(PROTOCOL_VERSION)),
  room: v.fallback(is.text(100), ""),
  role: v.fallback(role, "member"),
  info: v.fallback(is.memberInfo, { peer: "", device: "", engine: "" }),
});

function foreignHello(value: unknown): ClientMessage | null {
  const result = v.safeParse(foreign, value);
  return result.success ? result.output : null;
}

/** @throws ProtocolError */
export function parseJson(what: string, text: string, charactersMax: number): unknown {
  if (text.length > charactersMax) {
    throw new ProtocolError(`${what}: expected at most ${charactersMax} characters, found ${text.length}`);
  }
  try {
    return JSON.parse(text) as unknown;
  } catch (cause) {
    throw new ProtocolError(`${what}: expected JSON, found other text`, { cause });
  }
}

/** `value` where it fits, with what it does not know left out. @throws ProtocolError */
export function check<T>(what: string, schema: Schema<T>, value: unknown): T {
  const result = v.safeParse(schema, value, { abortEarly: true, abortPipeEarly: true });
  if (result.success) return result.output;
  const [issue] = result.issues;
  const kind = (value as { kind?: unknown } | null)?.kind;
  const name = typeof kind === "string" ? `${what} "${shorten(kind)}"` : what;
  const place = v.getDotPath(issue) ?? "the whole";
  const expected = issue.expected ?? issue.message;
  throw new ProtocolError(`${name}: at ${shorten(place)}, expected ${expected}, found ${shorten(issue.received)}`);
}

function shorten(text: string): string {
  return text.length > 60 ? `${text.slice(0, 57)}...` : text;
}
