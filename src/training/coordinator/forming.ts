/**
 * Forming an epoch: who takes part, from which state, and who holds what.
 *
 * Invariants: the state gone on from is the last record of the log (or the checkpoint that a logged ROLLBACK names);
 * every shard of it has a source among the members; no step is planned before every member has shown by hashes that it
 * holds what the map gives it.
 */
import { hashList, hashText } from "../../base/hash.ts";
import type { PeerId } from "../../network/transport/transport.ts";
import { firstStepOf } from "../../network/wire/run-spec.ts";
import type { ClientMessage, EpochMember } from "../../network/wire/messages.ts";
import type { CommitRecord } from "../../network/wire/state-record.ts";
import {
  badKey,
  candidates,
  holdsParameters,
  isCovered,
  outlook,
  type Outlook,
  parameterRootOf,
  sourcesOf,
  type Sources,
} from "./coverage.ts";
import { decide, tellEpoch } from "./decisions.ts";
import { lostRanks, type Draft } from "./draft.ts";
import { noteLinks } from "./links.ts";
import { lose } from "./membership.ts";
import { staying } from "./offers.ts";
import { removalSet } from "./reachability.ts";
import { unrelayed } from "./relayed.ts";
import { hasRetiring, retiringPeers } from "./retiring.ts";
import { trusted } from "./quarantine.ts";
import { placeShards } from "./shard-map.ts";
import type { PeerState, State } from "./state.ts";

/** Failed links of a pair in a row before one of the two must go, and for how long. */
const BROKEN_MAX = 2;
const HELD_MS = 30_000;
/** While a member prepares, a rollback waits so much longer: it may bring what is missing. */
const PREPARING_MS_MAX = 60_000;
const BACKOFF_MS = 250;
const BACKOFF_MS_MAX = 4_000;

/** Starts an epoch if there is a state and a member for it. True when the phase changed. */
export function tryForm(draft: Draft): boolean {
  const { phase, durable } = draft.state;
  if (phase.kind !== "idle" || phase.notBeforeMs > draft.nowMs || durable.spec === null) return false;
  holdUnreachable(draft);
  if (candidates(draft.state, draft.nowMs).length === 0) releaseAll(draft);
  const peers = candidates(draft.state, draft.nowMs);
  if (peers.length === 0) return wait(draft, "Nobody is here to train.");
  if (!durable.record) {
    const missing = durable.spec.startWith - peers.length;
    // Only the very first start waits for all, however long: a run that lost everything goes on with whoever is back.
    const isPatient =
      durable.epoch === 0 || draft.nowMs - (draft.state.firstJoinAtMs ?? draft.nowMs) < draft.limits.graceMs;
    if (missing > 0 && isPatient)
      return wait(draft, `Waiting for ${missing} more ${missing === 1 ? "tab" : "tabs"} to start.`);
    draft.append({ kind: "commit", record: genesisRecord(draft.state, peers[0] as PeerState), loss: 0 });
  }
  const record = draft.state.durable.record as CommitRecord;
  // Whoever is about to go still gives what it holds.
  const givers = [...peers, ...retiringPeers(draft.state)];
  const isFirst = record.step <= firstStepOf(durable.spec);
  if (!draft.state.hasFormed && !isFirst && !isEverybodyBack(draft.state, givers, draft)) {
    return wait(draft, "Waiting for the members of before to come back.");
  }
  const sources = sourcesOf(record, givers, draft.state);
  if (!isCovered(sources)) return releaseHolders(draft, record) || rollBack(draft, givers);
  announce(draft, record, peers, sources);
  return true;
}

/** Ends the forming or running epoch; the next attempt comes after a pause that grows with failures in a row. */
export function dissolve(draft: Draft, isFailure: boolean): void {
  const failures = isFailure ? draft.state.failures + 1 : draft.state.failures;
  const pauseMs = isFailure ? Math.min(BACKOFF_MS_MAX, BACKOFF_MS * 2 ** (failures - 1)) : 0;
  draft.patch({ phase: { kind: "idle", notBeforeMs: draft.nowMs + pauseMs }, failures });
}

export function onReady(draft: Draft, peer: PeerState, ready: Extract<ClientMessage, { kind: "ready" }>): void {
  const { phase, epoch, durable } = draft.state;
  if (!isCurrent(draft.state, ready) || !epoch || epoch.slots) return;
  const rank = epoch.members.findIndex((member) => member.peer === peer.info.peer);
  const record = durable.record;
  if (rank < 0 || epoch.conns[rank] !== peer.conn || !record) return;
  // Even if the epoch came to nothing meanwhile: what was copied for it may be the only copy.
  draft.patchPeer(peer.info.peer, { inventory: ready.inventory });
  noteLinks(draft, peer, ready.links);
  const sources = (ready.recovered ?? []).filter(({ source }) => source !== "memory");
  if (sources.length > 0) draft.report({ type: "recovery", peer: peer.info.peer, step: record.step, sources });
  if (phase.kind !== "forming") return;
  const lacking = epoch.members[rank]?.role === "full" ? lackingOf(draft.state, rank, record, ready) : null;
  if (lacking) {
    draft.report({ type: "abort", step: record.step + 1, reason: `${peer.info.peer} said ready without ${lacking}` });
    dissolve(draft, true);
    return;
  }
  draft.patch({ phase: { ...phase, ready: new Set(phase.ready).add(peer.info.peer) } });
}

/** Moves a forming epoch on: to the boundary when all are ready, back to idle when somebody is lost or late. */
export function advanceForming(draft: Draft): boolean {
  const { phase, epoch } = draft.state;
  if (phase.kind !== "forming" || !epoch) return false;
  if (lostRanks(draft.state).length > 0 || hasRetiring(draft.state)) {
    dissolve(draft, false);
    return true;
  }
  if (epoch.members.every((member) => phase.ready.has(member.peer))) {
    draft.patch({ phase: { kind: "boundary" } });
    return true;
  }
  if (draft.nowMs < phase.deadlineAtMs) return false;
  for (const member of epoch.members) {
    const peer = draft.state.peers.get(member.peer);
    if (!peer || phase.ready.has(member.peer)) continue;
    draft.close(peer.conn, "not ready for the epoch in time");
    lose(draft, peer, "not ready for the epoch in time");
  }
  dissolve(draft, true);
  return true;
}

/** Notes what a member could not do: broken pairs, promised bytes that were not there. */
export function noteFailure(draft: Draft, peer: PeerState, failed: Extract<ClientMessage, { kind: "failed" }>): void {
  const brokenPairs = new Map(draft.state.brokenPairs);
  for (const other of failed.unreachable) {
    const key = pairKey(peer.info.peer, other);
    if (draft.state.peers.has(other)) brokenPairs.set(key, (brokenPairs.get(key) ?? 0) + 1);
  }
  // Only who could be asked is to blame: another one's disk may well have it.
  const badHashes = new Map(draft.state.badHashes);
  for (const { peer: asked } of draft.state.epoch?.members ?? []) {
    for (const hash of failed.missing)
      badHashes.set(badKey(asked, hash), (badHashes.get(badKey(asked, hash)) ?? 0) + 1);
  }
  draft.patch({ brokenPairs, badHashes });
}

/** True for a message of the epoch at hand: the fence. */
export function isCurrent(state: State, message: { incarnation: number; epoch: number }): boolean {
  return message.incarnation === state.durable.incarnation && message.epoch === state.durable.epoch;
}

/** "a|b", sorted: how pairs are named everywhere. */
export function pairKey(a: PeerId, b: PeerId): string {
  return a < b ? `${a}|${b}` : `${b}|${a}`;
}

/** Says what is waited for, once a reason. Always false: nothing changed. */
function wait(draft: Draft, reason: string, devices: readonly string[] = []): false {
  if (draft.state.waitingReason !== reason) {
    draft.patch({ waitingReason: reason });
    draft.broadcast({ kind: "waiting", reason, devices });
    draft.report({ type: "waiting", reason, devices });
  }
  return false;
}

function genesisRecord(state: State, peer: PeerState): CommitRecord {
  const { spec, incarnation, epoch } = state.durable;
  const parameters = peer.genesis?.parameters ?? [];
  const optimizer = peer.genesis?.optimizer ?? [];
  const step = spec ? firstStepOf(spec) : 0;
  const chain = hashText(`genesis:${JSON.stringify(spec)}`);
  return stateRecord(state, { incarnation, epoch, step, chain, previous: chain, parameters, optimizer });
}

/** A record with its roots filled in. The run's seed and the step stand for the sampler's and the random state, which are functions of them. */
export function stateRecord(state: State, parts: Omit<CommitRecord, "parameterRoot" | "stateHash">): CommitRecord {
  const parameterRoot = parameterRootOf(parts.parameters);
  const optimizerRoot = hashList("optimizer", parts.optimizer);
  const sampler = `${state.durable.spec?.seed}/${parts.step}`;
  return { ...parts, parameterRoot, stateHash: hashList("state", [parameterRoot, optimizerRoot, sampler]) };
}

function isEverybodyBack(state: State, peers: readonly PeerState[], draft: Draft): boolean {
  const { spec, lastMembers } = state.durable;
  const graceOver = draft.nowMs - (state.firstJoinAtMs ?? draft.nowMs) >= draft.limits.graceMs;
  const here = new Set(peers.map((peer) => peer.info.peer));
  return graceOver || peers.length >= (spec?.startWith ?? 1) || lastMembers.every((member) => here.has(member.peer));
}

/** With nobody else here, whoever was set aside is better than nobody. */
function releaseAll(draft: Draft): void {
  for (const { info, heldUntilMs } of draft.state.peers.values()) {
    if (heldUntilMs > draft.nowMs) draft.patchPeer(info.peer, { heldUntilMs: draft.nowMs });
  }
}

/** Members set aside go back in where only they have what is missing: a bad link is better than a lost step. */
function releaseHolders(draft: Draft, record: CommitRecord): boolean {
  return releaseIf(draft, (joined) => isCovered(sourcesOf(record, joined, draft.state)));
}

/** Lets those that are set aside back in if there are any and all who have joined, they among them, have what it takes. */
function releaseIf(draft: Draft, haveIt: (joined: readonly PeerState[]) => boolean): boolean {
  const joined = [...draft.state.peers.values()].filter((peer) => peer.status === "joined");
  const held = joined.filter((peer) => peer.heldUntilMs > draft.nowMs);
  if (held.length === 0 || !haveIt(joined)) return false;
  for (const { info } of held) draft.patchPeer(info.peer, { heldUntilMs: draft.nowMs });
  return true;
}

/** Nobody has every shard of the last commit in memory: wait a while, then go back to the newest checkpoint that can be put together. */
function rollBack(draft: Draft, peers: readonly PeerState[]): boolean {
  const { state } = draft;
  const sinceMs = state.uncoveredSinceMs ?? draft.nowMs;
  if (state.uncoveredSinceMs === null) draft.patch({ uncoveredSinceMs: sinceMs });
  const waitedMs = draft.nowMs - sinceMs;
  const devices = new Set(peers.map((peer) => peer.info.device));
  const isPreparing = [...state.peers.values()].some((peer) => peer.status === "preparing");
  const isEverybodyHere =
    peers.length >= Math.max(state.durable.spec?.startWith ?? 1, state.durable.lastMembers.length) &&
    state.durable.lastMembers.every((member) => devices.has(member.device));
  const mayGoBack = waitedMs >= draft.limits.graceMs && (!isPreparing || waitedMs >= PREPARING_MS_MAX);
  if (!isEverybodyHere && !mayGoBack) return wait(draft, "Waiting for the tabs that hold the rest of the model.");
  const found = outlook(state, peers);
  const isNewer = (joined: readonly PeerState[]): boolean => generationOf(outlook(state, joined)) > generationOf(found);
  if (releaseIf(draft, isNewer)) return true;
  if ("missing" in found) {
    const { missing } = found;
    return wait(draft, `The checkpoint is not whole here. Open the run on: ${missing.join(", ")}.`, missing);
  }
  const { target } = found;
  const step = target.record?.step ?? (state.durable.spec ? firstStepOf(state.durable.spec) : 0);
  draft.append({ kind: "rollback", generation: target.generation, step });
  draft.append({ kind: "incarnation", incarnation: state.durable.incarnation + 1 });
  draft.patch({ uncoveredSinceMs: null, checkpoint: null, epoch: null });
  draft.report({ type: "rollback", to: step });
  return true;
}

/** The checkpoint gone back to; less than any where it takes others. */
function generationOf(found: Outlook): number {
  return "missing" in found ? -1 : found.target.generation;
}

function announce(draft: Draft, record: CommitRecord, peers: readonly PeerState[], sources: Sources): void {
  const anyFull = peers.some((peer) => holdsParameters(peer, record));
  const members: EpochMember[] = peers.map((peer) => ({
    ...peer.info,
    role: !anyFull || holdsParameters(peer, record) ? "full" : "listener",
  }));
  const ranks = new Map(members.map((member, rank) => [member.peer, rank]));
  const before = draft.state.epoch;
  const holders = sources.optimizer.map((list, shard) => {
    const owner = before?.members[before.map.owner[shard] ?? -1]?.peer;
    const ordered = owner && list.includes(owner) ? [owner, ...list.filter((peer) => peer !== owner)] : list;
    return ordered.flatMap((peer) => ranks.get(peer) ?? []);
  });
  const eligible = members.map((_, rank) => rank).filter((rank) => members[rank]?.role === "full");
  const able = trusted(draft.state, members, ownersAmong(draft.state, members), draft.nowMs);
  const owners = staying(draft.state, members, able, draft.nowMs);
  const map = placeShards({ members, eligible, owners, holders });
  const epoch = draft.state.durable.epoch + 1;
  draft.append({ kind: "epoch", epoch, members: peers.map(({ info }) => ({ peer: info.peer, device: info.device })) });
  draft.patch({
    epoch: { members, conns: peers.map((peer) => peer.conn), map, slots: null, links: null },
    phase: { kind: "forming", ready: new Set(), deadlineAtMs: draft.nowMs + draft.limits.formMsMax },
    hasFormed: true,
    uncoveredSinceMs: null,
    waitingReason: null,
  });
  tellEpoch(draft, before);
  draft.sendToEpoch({
    kind: "epoch",
    incarnation: draft.state.durable.incarnation,
    epoch,
    members,
    map,
    record,
    optimizerSources: sources.optimizer,
    parameterSources: sources.parameters,
    stripes: sources.stripes,
    deadlineMs: draft.limits.formMsMax,
  });
}

/** Ranks of full members that may own shards. */
function ownersAmong({ relayedPairs }: State, members: readonly EpochMember[]): number[] {
  const full = members.filter((member) => member.role === "full").map((member) => member.peer);
  const owners = new Set(unrelayed(full, relayedPairs));
  return members.flatMap(({ peer }, rank) => (owners.has(peer) ? [rank] : []));
}

/** True when the epoch's map was made before it was known that an owner is relayed, and another one need not be. */
export function hasRelayedOwner(state: State): boolean {
  const { epoch } = state;
  if (!epoch || state.relayedPairs.length === 0) return false;
  const owners = new Set(ownersAmong(state, epoch.members));
  return epoch.map.owner.some((rank) => !owners.has(rank));
}

/** What a full member should hold and did not name, or null. */
function lackingOf(
  state: State,
  rank: number,
  record: CommitRecord,
  ready: Extract<ClientMessage, { kind: "ready" }>,
): string | null {
  if (!ready.inventory.parameterRoots.includes(record.parameterRoot)) return "the parameters";
  const held = new Set(ready.inventory.optimizer.map(([shard, hash]) => `${shard}:${hash}`));
  const { owner, replica } = state.epoch?.map ?? { owner: [], replica: [] };
  const lacking = record.optimizer.findIndex(
    (hash, shard) => (owner[shard] === rank || replica[shard] === rank) && !held.has(`${shard}:${hash}`),
  );
  return lacking < 0 ? null : `optimizer shard ${lacking}`;
}

/** Sets aside the fewest members so that nobody left has failed to reach another repeatedly. */
function holdUnreachable(draft: Draft): void {
  const broken = [...draft.state.brokenPairs].filter(([, count]) => count >= BROKEN_MAX).map(([key]) => key.split("|"));
  if (broken.length === 0) return;
  const members = candidates(draft.state, draft.nowMs).map((peer) => peer.info.peer);
  for (const peerId of removalSet(members, broken as [PeerId, PeerId][])) {
    draft.patchPeer(peerId, { heldUntilMs: draft.nowMs + HELD_MS });
    const conn = draft.state.peers.get(peerId)?.conn;
    const reason = "This tab cannot reach another member; it tries again in half a minute.";
    if (conn) draft.send(conn, { kind: "waiting", reason, devices: [] });
    decide(draft, "member", `${peerId} is set aside for ${HELD_MS / 1_000} s: it and another member cannot link.`, [
      peerId,
    ]);
    draft.report({ type: "member", event: "leave", peer: peerId, step: draft.state.durable.record?.step ?? 0, reason });
  }
  const left = [...draft.state.brokenPairs].filter(([, count]) => count < BROKEN_MAX);
  draft.patch({ brokenPairs: new Map(left) });
}
