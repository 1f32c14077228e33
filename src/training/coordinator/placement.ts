/**
 * Which members write which shards of a checkpoint. Copies are counted by device: tabs of one browser share one disk.
 *
 * Three devices hold every shard, so that with four devices any two hold all shards, and with n devices any n - 2 do.
 */
import { assert } from "../../base/assert.ts";
import { byScore } from "./rendezvous.ts";

/** Devices that hold a shard, where there are so many. */
const COPIES = 3;

export interface CheckpointPlacement {
  /** Rank that owns each shard. */
  readonly owner: readonly number[];
  /** Rank that holds its replica; the owner itself in an epoch of one. */
  readonly replica: readonly number[];
  /** Each rank's device. */
  readonly devices: readonly string[];
}

/**
 * For each shard the ranks that write it: owner, replica, then those that score highest for the shard until three
 * devices have it; never two on one device. The same on every machine, and a device that comes or goes moves only the
 * shards it gains or had (`rendezvous.ts`).
 */
export function placeCheckpoint({ owner, replica, devices }: CheckpointPlacement): number[][] {
  assert(owner.length === replica.length, `placeCheckpoint: ${owner.length} owners and ${replica.length} replicas`);
  const ranksOf = new Map<string, number[]>();
  devices.forEach((device, rank) => ranksOf.set(device, [...(ranksOf.get(device) ?? []), rank]));
  return owner.map((ownerRank, shard) => {
    const writers = new Map<string, number>();
    for (const rank of [ownerRank, replica[shard] ?? ownerRank]) {
      const device = devices[rank];
      assert(device !== undefined, `placeCheckpoint: shard ${shard} is at rank ${rank} of ${devices.length}`);
      if (!writers.has(device)) writers.set(device, rank);
    }
    const others = [...ranksOf.keys()].filter((device) => !writers.has(device));
    for (const device of byScore(others, shard).slice(0, Math.max(0, COPIES - writers.size))) {
      // Tabs of one device take turns, so that none of them writes everything.
      const ranks = ranksOf.get(device) ?? [];
      writers.set(device, ranks[shard % ranks.length] ?? 0);
    }
    return [...writers.values()];
  });
}
