/**
 * Which member owns each optimizer shard, and which keeps its replica.
 *
 * Balanced: owners' counts differ by one at most, so that bytes sent are equal. Sticky: an owner keeps its shards, and
 * a shard without one goes to a member that has its bytes, so that a change of membership moves little. What is left to
 * choose is chosen by rendezvous hashing, the same wherever it is computed.
 */
import { assert } from "../../base/assert.ts";
import type { MemberInfo, ShardMap } from "../../network/wire/messages.ts";
import { byScore } from "./rendezvous.ts";

export interface PlacementInput {
  readonly members: readonly MemberInfo[];
  /** Ranks that may hold shards. At least one. */
  readonly eligible: readonly number[];
  /** Those of them that may own shards, and keep replicas where there are two: all, unless told. At least one. */
  readonly owners?: readonly number[];
  /** For each shard the ranks that have its bytes now, the present owner first. */
  readonly holders: readonly (readonly number[])[];
}

/** The map of an epoch. With one eligible member the replica is the owner itself. */
export function placeShards(input: PlacementInput): ShardMap {
  const { eligible, owners = eligible } = input;
  assert(owners.length > 0, "placeShards: no member may hold shards");
  const owner = placeOwners({ ...input, eligible: owners });
  return { owner, replica: placeReplicas({ ...input, eligible: owners.length > 1 ? owners : eligible }, owner) };
}

function placeOwners({ members, eligible, holders }: PlacementInput): number[] {
  const room = capacities(eligible, holders.length);
  const owner: number[] = new Array<number>(holders.length).fill(-1);
  const take = (shard: number, rank: number): boolean => {
    if (!room.take(rank)) return false;
    owner[shard] = rank;
    return true;
  };
  holders.forEach((ranks, shard) => {
    const present = ranks[0];
    if (present !== undefined && eligible.includes(present)) take(shard, present);
  });
  holders.forEach((ranks, shard) => {
    if (owner[shard] !== -1) return;
    const others = ranks.filter((rank) => eligible.includes(rank)).sort((a, b) => room.load(a) - room.load(b));
    others.some((rank) => take(shard, rank));
  });
  owner.forEach((rank, shard) => {
    if (rank === -1) byRendezvous(members, eligible, shard).some((candidate) => take(shard, candidate));
  });
  return owner;
}

/** A replica lives on another member, on another device where there is one, where the bytes are already, and balanced. */
function placeReplicas({ members, eligible, holders }: PlacementInput, owner: readonly number[]): number[] {
  if (eligible.length === 1) return [...owner];
  const load = new Map<number, number>(eligible.map((rank) => [rank, 0]));
  const loadMax = Math.ceil(holders.length / eligible.length);
  return owner.map((own, shard) => {
    const cost = (rank: number): number =>
      ((load.get(rank) ?? 0) >= loadMax ? 4 : 0) +
      (members[rank]?.device === members[own]?.device ? 2 : 0) +
      (holders[shard]?.includes(rank) ? 0 : 1);
    const ordered = byRendezvous(members, eligible, shard).filter((rank) => rank !== own);
    let best = ordered[0] as number;
    for (const rank of ordered) if (cost(rank) < cost(best)) best = rank;
    load.set(best, (load.get(best) ?? 0) + 1);
    return best;
  });
}

function capacities(
  eligible: readonly number[],
  shards: number,
): { take(rank: number): boolean; load(rank: number): number } {
  const base = Math.floor(shards / eligible.length);
  let extras = shards % eligible.length;
  const loads = new Map<number, number>();
  return {
    load: (rank) => loads.get(rank) ?? 0,
    take(rank) {
      const load = loads.get(rank) ?? 0;
      if (load > base || (load === base && extras === 0)) return false;
      if (load === base) extras -= 1;
      loads.set(rank, load + 1);
      return true;
    },
  };
}

/** Ranks by the score of their peers for the shard, highest first. */
function byRendezvous(members: readonly MemberInfo[], eligible: readonly number[], shard: number): number[] {
  const ranks = new Map(eligible.map((rank) => [members[rank]?.peer ?? "", rank]));
  return byScore([...ranks.keys()], shard).map((peer) => ranks.get(peer) ?? 0);
}
