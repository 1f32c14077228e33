/** Who has which bytes of a state, by content: the basis of roles, sources and rollbacks. */
import { hashList, type Hash } from "../../base/hash.ts";
import type { PeerId } from "../../network/transport/transport.ts";
import { SHARDS, type CommitRecord } from "../../network/wire/messages.ts";
import type { Generation, PeerState, State } from "./state.ts";

/** A disk is not believed any more after so many failures in a row: one may have been the network's. */
const BAD_MAX = 3;

/** How `State.badHashes` names what a peer's disk promised. */
export function badKey(peer: PeerId, hash: Hash): string {
  return `${peer}|${hash}`;
}

/** For each shard the peers that have it, in memory before disk. */
export interface Sources {
  readonly parameters: readonly (readonly PeerId[])[];
  readonly optimizer: readonly (readonly PeerId[])[];
}

/** Members that could take part in an epoch now. */
export function candidates(state: State, nowMs: number): PeerState[] {
  return [...state.peers.values()]
    .filter((peer) => peer.status === "joined" && peer.heldUntilMs <= nowMs)
    .sort((a, b) => a.joinedAtMs - b.joinedAtMs || (a.info.peer < b.info.peer ? -1 : 1));
}

/** True when `peer` has all parameters of `record` in memory. */
export function holdsParameters(peer: PeerState, record: CommitRecord): boolean {
  return peer.inventory.parameterRoots.includes(record.parameterRoot) || isGenesisOf(peer, record);
}

/** Where each shard of `record` can be had among `peers`. */
export function sourcesOf(record: CommitRecord, peers: readonly PeerState[], badHashes: State["badHashes"]): Sources {
  const parameters: PeerId[][] = Array.from({ length: SHARDS }, () => []);
  const optimizer: PeerId[][] = Array.from({ length: SHARDS }, () => []);
  // What a member dropped since it last told is found out by asking for it.
  const isBelieved = (peer: PeerState, hash: Hash | undefined): boolean =>
    badHashes.size === 0 || (badHashes.get(badKey(peer.info.peer, hash ?? "")) ?? 0) < BAD_MAX;
  for (const peer of peers) {
    const { peer: id } = peer.info;
    if (holdsParameters(peer, record)) {
      parameters.forEach((list, shard) => isBelieved(peer, record.parameters[shard]) && list.push(id));
    }
    if (isGenesisOf(peer, record)) for (const list of optimizer) list.push(id);
    else {
      for (const [shard, hash] of peer.inventory.optimizer) {
        if (hash === record.optimizer[shard] && isBelieved(peer, hash)) optimizer[shard]?.push(id);
      }
    }
  }
  for (const peer of peers) addStored(peer, record, badHashes, parameters, optimizer);
  return { parameters, optimizer };
}

/** True when every shard has a source. */
export function isCovered(sources: Sources): boolean {
  return sources.parameters.every((list) => list.length > 0) && sources.optimizer.every((list) => list.length > 0);
}

/** A state to go back to: a checkpoint, or the state of step 0 (null record), which every member can compute. */
export type Restorable = Generation | { readonly generation: 0; readonly record: null };

/** What can be gone back to: a state, or the devices that would have to come first. */
export type Outlook = { readonly target: Restorable } | { readonly missing: readonly string[] };

/**
 * The newest checkpoint that `peers` can put together. Where none is whole, the devices to wait for; and where nobody
 * who was told to hold the missing shards is away, so that no waiting would bring them back, the state of step 0.
 */
export function outlook(state: State, peers: readonly PeerState[]): Outlook {
  let missing: readonly string[] = [];
  for (const generation of [...state.durable.generations].reverse()) {
    const sources = sourcesOf(generation.record, peers, state.badHashes);
    if (isCovered(sources)) return { target: generation };
    if (missing.length === 0) missing = awayHolders(generation, sources, peers) ?? [];
  }
  return missing.length > 0 ? { missing } : { target: { generation: 0, record: null } };
}

/** Devices that hold what `peers` lack of a checkpoint; null when some shard is lost for good. */
function awayHolders(generation: Generation, sources: Sources, peers: readonly PeerState[]): readonly string[] | null {
  const here = new Set(peers.map((peer) => peer.info.device));
  const devices = new Set<string>();
  for (const [shard, holders] of generation.holders.entries()) {
    if ((sources.parameters[shard]?.length ?? 0) > 0 && (sources.optimizer[shard]?.length ?? 0) > 0) continue;
    const away = holders.filter((device) => !here.has(device));
    if (away.length === 0) return null;
    for (const device of away) devices.add(device);
  }
  return [...devices].sort();
}

/** The root over a list of shard hashes. */
export function parameterRootOf(hashes: readonly Hash[]): Hash {
  return hashList("parameters", hashes);
}

function isGenesisOf(peer: PeerState, record: CommitRecord): boolean {
  const genesis = peer.genesis;
  return (
    record.step === 0 &&
    genesis !== null &&
    parameterRootOf(genesis.parameters) === record.parameterRoot &&
    genesis.optimizer.every((hash, shard) => hash === record.optimizer[shard])
  );
}

function addStored(
  peer: PeerState,
  record: CommitRecord,
  badHashes: State["badHashes"],
  parameters: PeerId[][],
  optimizer: PeerId[][],
): void {
  const stored = peer.inventory.stored.find((found) => found.step === record.step && found.chain === record.chain);
  const add = (lists: PeerId[][], hashes: readonly Hash[], shard: number): void => {
    const list = lists[shard];
    const hash = hashes[shard];
    const isBad = (badHashes.get(badKey(peer.info.peer, hash ?? "")) ?? 0) >= BAD_MAX;
    if (list && hash && !isBad && !list.includes(peer.info.peer)) list.push(peer.info.peer);
  };
  for (const shard of stored?.shards ?? []) {
    add(parameters, record.parameters, shard);
    add(optimizer, record.optimizer, shard);
  }
}
