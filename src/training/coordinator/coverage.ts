/** Who has which bytes of a state, by content: the basis of roles, sources and rollbacks. */
import { hashList, type Hash } from "../../base/hash.ts";
import type { PeerId } from "../../network/transport/transport.ts";
import { SHARDS, type CommitRecord, type StripeSources } from "../../network/wire/state-record.ts";
import type { StoredStripe } from "./protocol.ts";
import type { Generation, PeerState, State } from "./state.ts";

/** A disk is not believed any more after so many failures in a row: one may have been the network's. */
const BAD_MAX = 3;

/** How `State.badHashes` names what a peer's disk promised. */
export function badKey(peer: PeerId, hash: Hash): string {
  return `${peer}|${hash}`;
}

/** For each shard the peers that have it, in memory before disk; and the parity of a checkpoint of the same state. */
export interface Sources {
  readonly parameters: readonly (readonly PeerId[])[];
  readonly optimizer: readonly (readonly PeerId[])[];
  readonly stripes: readonly StripeSources[];
}

/** Members that could take part in an epoch now. */
export function candidates(state: State, nowMs: number): PeerState[] {
  return [...state.peers.values()]
    .filter((peer) => peer.status === "joined" && peer.heldUntilMs <= nowMs && peer.retiring === null)
    .sort((a, b) => a.joinedAtMs - b.joinedAtMs || (a.info.peer < b.info.peer ? -1 : 1));
}

/** True when `peer` has all parameters of `record` in memory. */
export function holdsParameters(peer: PeerState, record: CommitRecord): boolean {
  return peer.inventory.parameterRoots.includes(record.parameterRoot) || isGenesisOf(peer, record);
}

/** Where each shard of `record` can be had among `peers`. */
export function sourcesOf(record: CommitRecord, peers: readonly PeerState[], state: State): Sources {
  const { badHashes } = state;
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
  const generation = state.durable.generations.find((candidate) => candidate.record.chain === record.chain);
  const stripes = (generation?.stripes ?? []).map((stripe) => stripeSources(stripe, record, peers, isBelieved));
  return { parameters, optimizer, stripes: stripes.filter(({ parity }) => parity.length > 0) };
}

function stripeSources(
  { shards, parity }: StoredStripe,
  record: CommitRecord,
  peers: readonly PeerState[],
  isBelieved: (peer: PeerState, hash: Hash) => boolean,
): StripeSources {
  const found = parity.map(({ unit, row, parameter, optimizer }) => {
    const holders = peers.filter(
      (peer) => storedOf(peer, record).includes(unit) && isBelieved(peer, parameter) && isBelieved(peer, optimizer),
    );
    return { row, parameter, optimizer, sources: holders.map(({ info }) => info.peer) };
  });
  return { shards, parity: found.filter(({ sources }) => sources.length > 0) };
}

/** True when every shard has a source, or can be computed from others of its stripe. */
export function isCovered(sources: Sources): boolean {
  return missingShards(sources).size === 0;
}

/** Shards that can neither be had nor computed. */
function missingShards({ parameters, optimizer, stripes }: Sources): Set<number> {
  const missing = new Set<number>();
  for (const lists of [parameters, optimizer]) {
    const lacking = new Set(lists.flatMap((list, shard) => (list.length === 0 ? [shard] : [])));
    for (const { shards, parity } of lacking.size > 0 ? stripes : []) {
      const isEnough = shards.filter((shard) => lacking.has(shard)).length <= parity.length;
      if (isEnough) for (const shard of shards) lacking.delete(shard);
    }
    for (const shard of lacking) missing.add(shard);
  }
  return missing;
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
    const sources = sourcesOf(generation.record, peers, state);
    if (isCovered(sources)) return { target: generation };
    if (missing.length === 0) missing = awayHolders(generation, sources, peers) ?? [];
  }
  return missing.length > 0 ? { missing } : { target: { generation: 0, record: null } };
}

/** Devices that hold what `peers` lack of a checkpoint; null when some shard is lost for good. */
function awayHolders(generation: Generation, sources: Sources, peers: readonly PeerState[]): readonly string[] | null {
  const here = new Set(peers.map((peer) => peer.info.device));
  const devices = new Set<string>();
  for (const shard of missingShards(sources)) {
    const stripe = generation.stripes.find(({ shards }) => shards.includes(shard));
    const units = stripe ? [...stripe.shards, ...stripe.parity.map(({ unit }) => unit)] : [shard];
    const lacking = units.filter((unit) => !isHad(unit, stripe, sources));
    const away = lacking
      .map((unit) => (generation.holders[unit] ?? []).filter((device) => !here.has(device)))
      .filter((list) => list.length > 0);
    const needed = (stripe?.shards.length ?? 1) - (units.length - lacking.length);
    if (away.length < needed) return null;
    for (const device of away.flat()) devices.add(device);
  }
  return [...devices].sort();
}

function isHad(unit: number, stripe: StoredStripe | undefined, { parameters, optimizer, stripes }: Sources): boolean {
  if (unit < SHARDS) return (parameters[unit]?.length ?? 0) > 0 && (optimizer[unit]?.length ?? 0) > 0;
  const row = stripe?.parity.find((candidate) => candidate.unit === unit)?.row;
  const found = stripes.find(({ shards }) => shards[0] === stripe?.shards[0]);
  return found?.parity.some((parity) => parity.row === row) ?? false;
}

/** The root over a list of shard hashes. */
export function parameterRootOf(hashes: readonly Hash[]): Hash {
  return hashList("parameters", hashes);
}

function isGenesisOf(peer: PeerState, record: CommitRecord): boolean {
  const genesis = peer.genesis;
  return (
    genesis !== null &&
    genesis.parameters.every((hash, shard) => hash === record.parameters[shard]) &&
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
  const add = (lists: PeerId[][], hashes: readonly Hash[], shard: number): void => {
    const list = lists[shard];
    const hash = hashes[shard];
    const isBad = (badHashes.get(badKey(peer.info.peer, hash ?? "")) ?? 0) >= BAD_MAX;
    if (list && hash && !isBad && !list.includes(peer.info.peer)) list.push(peer.info.peer);
  };
  for (const shard of storedOf(peer, record)) {
    if (shard >= SHARDS) continue;
    add(parameters, record.parameters, shard);
    add(optimizer, record.optimizer, shard);
  }
}

/** Units of the record's checkpoint on the peer's disk. */
function storedOf(peer: PeerState, record: CommitRecord): readonly number[] {
  const { stored } = peer.inventory;
  return stored.find((found) => found.step === record.step && found.chain === record.chain)?.shards ?? [];
}
