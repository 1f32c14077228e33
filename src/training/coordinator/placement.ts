/**
 * Which members write which units of a checkpoint: shards, and parity over stripes of them. What counts is the device: tabs
 * of one browser share one disk.
 */
import { assert } from "../../base/assert.ts";
import type { CheckpointOrder, Stripe } from "../../network/wire/state-record.ts";
import type { Scheme } from "./durability.ts";
import { byScore } from "./rendezvous.ts";

export interface CheckpointPlacement {
  /** Rank that owns each shard. */
  readonly owner: readonly number[];
  /** Rank that holds its replica; the owner itself in an epoch of one. */
  readonly replica: readonly number[];
  /** Each rank's device. */
  readonly devices: readonly string[];
}

/** Copies of every shard on as many devices as the scheme says, or stripes with parity. */
export function placeCheckpoint(
  input: CheckpointPlacement,
  scheme: Scheme,
): Pick<CheckpointOrder, "writers" | "stripes"> {
  if (scheme.dataChunks === 1) return { writers: placeCopies(input, scheme.chunks), stripes: [] };
  return placeStripes(input, scheme);
}

/**
 * For each shard the ranks that write it: owner, replica, then those that score highest for the shard until `copies`
 * devices have it; never two on one device. The same on every machine, and a device that comes or goes moves only the
 * shards it gains or had (`rendezvous.ts`).
 */
export function placeCopies({ owner, replica, devices }: CheckpointPlacement, copies: number): number[][] {
  assert(owner.length === replica.length, `placeCopies: ${owner.length} owners and ${replica.length} replicas`);
  const ranksOf = ranksByDevice(devices);
  return owner.map((ownerRank, shard) => {
    const writers = new Map<string, number>();
    for (const rank of [ownerRank, replica[shard] ?? ownerRank]) {
      const device = devices[rank];
      assert(device !== undefined, `placeCopies: shard ${shard} is at rank ${rank} of ${devices.length}`);
      if (!writers.has(device) && writers.size < copies) writers.set(device, rank);
    }
    const others = [...ranksOf.keys()].filter((device) => !writers.has(device));
    for (const device of byScore(others, shard).slice(0, Math.max(0, copies - writers.size))) {
      writers.set(device, turnOf(ranksOf.get(device) ?? [], shard));
    }
    return [...writers.values()];
  });
}

/**
 * Each shard is written by its owner alone, and shards of owners on different devices make a stripe, whose parity goes to
 * further devices: those first that keep replicas of its shards and need not fetch them. So any `parity` devices may go.
 */
function placeStripes(input: CheckpointPlacement, { dataChunks, chunks }: Scheme): ReturnType<typeof placeCheckpoint> {
  const { owner, replica, devices } = input;
  const parityRows = chunks - dataChunks;
  const ranksOf = ranksByDevice(devices);
  const writers: number[][] = owner.map((rank) => [rank]);
  const copies = placeCopies(input, 1 + parityRows);
  const stripes: Stripe[] = [];
  for (const shards of cutStripes(
    owner.map((rank) => devices[rank] ?? ""),
    dataChunks,
  )) {
    const [only] = shards;
    if (shards.length === 1 && only !== undefined) {
      writers[only] = copies[only] ?? [];
      continue;
    }
    const taken = new Set(shards.map((shard) => devices[owner[shard] ?? -1]));
    const kept = (device: string): number => shards.filter((shard) => devices[replica[shard] ?? -1] === device).length;
    const others = byScore(
      [...ranksOf.keys()].filter((device) => !taken.has(device)),
      stripes.length,
    );
    others.sort((a, b) => kept(b) - kept(a));
    const parity = others.slice(0, parityRows).map((device) => {
      const ranks = ranksOf.get(device) ?? [];
      const keeper = shards.map((shard) => replica[shard] ?? -1).find((rank) => devices[rank] === device);
      writers.push([keeper ?? turnOf(ranks, stripes.length)]);
      return writers.length - 1;
    });
    stripes.push({ shards, parity });
  }
  return { writers, stripes };
}

/** Groups of `size` shards on different devices, the fullest devices first; what is left over makes smaller ones. */
function cutStripes(deviceOf: readonly string[], size: number): number[][] {
  const left = new Map<string, number[]>();
  deviceOf.forEach((device, shard) => left.set(device, [...(left.get(device) ?? []), shard]));
  const stripes: number[][] = [];
  for (;;) {
    const fullest = [...left.entries()]
      .filter(([, shards]) => shards.length > 0)
      .sort(([a, x], [b, y]) => y.length - x.length || (a < b ? -1 : 1))
      .slice(0, size);
    if (fullest.length === 0) return stripes;
    stripes.push(fullest.map(([, shards]) => shards.shift() ?? 0).sort((a, b) => a - b));
  }
}

function ranksByDevice(devices: readonly string[]): Map<string, number[]> {
  const ranksOf = new Map<string, number[]>();
  devices.forEach((device, rank) => ranksOf.set(device, [...(ranksOf.get(device) ?? []), rank]));
  return ranksOf;
}

/** Tabs of one device take turns, so that none of them writes everything. */
function turnOf(ranks: readonly number[], unit: number): number {
  return ranks[unit % ranks.length] ?? 0;
}
