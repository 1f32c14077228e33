/**
 * Collectives around a ring: each rank talks to two neighbours only, at the price of n-1 hops. For rooms in which the
 * mesh has few direct links, or so many peers that n messages at once would drown a tab.
 */
import { sequence } from "./program.ts";
import type { Hop, Program } from "./program.ts";

/**
 * Reduce-scatter: chunk r ends at rank r. Each rank sends (n-1)/n of the buffer in n-1 hops.
 *
 * After hop h, chunk (rank - h - 2) at `rank` sums h + 2 ranks; so chunk r is summed in the order r+1, r+2, ..., r.
 */
export function ringReduceScatter(size: number): Program {
  return ring("ring-reduce-scatter", size, (rank, hop) => ({
    sends: [{ to: at(rank + 1, size), chunk: at(rank - hop - 1, size) }],
    writes: [{ chunk: at(rank - hop - 2, size), from: [at(rank - 1, size), rank] }],
  }));
}

/** All-gather: chunk r goes from rank r to everybody; each rank passes on what it gets. n-1 hops. */
export function ringAllGather(size: number): Program {
  return ring("ring-all-gather", size, (rank, hop) => ({
    sends: [{ to: at(rank + 1, size), chunk: at(rank - hop, size) }],
    writes: [{ chunk: at(rank - hop - 1, size), from: [at(rank - 1, size)] }],
  }));
}

/**
 * All-reduce: reduce-scatter, then all-gather (Patarasu & Yuan, 2009).
 *
 * Each rank sends 2(n-1)/n of the buffer in 2(n-1) hops; all ranks end with the same bits.
 */
export function ringAllReduce(size: number): Program {
  return sequence("ring-all-reduce", ringReduceScatter(size), ringAllGather(size));
}

function ring(name: string, size: number, hopOf: (rank: number, hop: number) => Hop): Program {
  const hops = Array.from({ length: size - 1 }, (_, hop) => (rank: number) => hopOf(rank, hop));
  return { name, size, chunks: size, hops };
}

/** `rank` around the ring, which may have gone below 0. */
function at(rank: number, size: number): number {
  return ((rank % size) + size) % size;
}
