/**
 * Collectives around a ring: each rank talks to two neighbours only, at the price of n-1 hops. For rooms in which the
 * mesh has few direct links, or so many peers that n messages at once would drown a tab.
 */
import { planHop, ranksOf, sequence } from "../program.ts";
import type { HopPlan, Program } from "../program.ts";

/**
 * Reduce-scatter: chunk r ends at rank r. Each rank sends (n-1)/n of the buffer in n-1 hops.
 *
 * After hop h, chunk (rank - h - 2) at `rank` sums h + 2 ranks; so chunk r is summed in the order r+1, r+2, ..., r.
 */
export function ringReduceScatter(size: number): Program {
  return ring("ring-reduce-scatter", size, (plan, rank, hop) => {
    plan.reduce(at(rank - hop - 2, size), [at(rank - 1, size), rank], rank);
  });
}

/** All-gather: chunk r goes from rank r to everybody; each rank passes on what it gets. n-1 hops. */
export function ringAllGather(size: number): Program {
  return ring("ring-all-gather", size, (plan, rank, hop) => {
    plan.copy(at(rank - hop - 1, size), at(rank - 1, size), rank);
  });
}

/**
 * All-reduce: reduce-scatter, then all-gather (Patarasu & Yuan, 2009).
 *
 * Each rank sends 2(n-1)/n of the buffer in 2(n-1) hops; all ranks end with the same bits.
 */
export function ringAllReduce(size: number): Program {
  return sequence("ring-all-reduce", ringReduceScatter(size), ringAllGather(size));
}

/** Broadcast of one chunk along the ring, from the root on. n-1 hops; in slices, a pipeline at full bandwidth. */
export function ringBroadcast(size: number, root: number): Program {
  const hops = ranksOf(Math.max(0, size - 1)).map((hop) =>
    planHop(size, (plan) => plan.copy(0, at(root + hop, size), at(root + hop + 1, size))),
  );
  return { name: "ring-broadcast", size, chunks: 1, hops };
}

/** Reduce of one chunk along the ring, ending at the root, summed in the order root+1, root+2, ..., root. n-1 hops. */
export function ringReduce(size: number, root: number): Program {
  const hops = ranksOf(Math.max(0, size - 1)).map((hop) => {
    const [from, to] = [at(root + hop + 1, size), at(root + hop + 2, size)];
    return planHop(size, (plan) => plan.reduce(0, [from, to], to));
  });
  return { name: "ring-reduce", size, chunks: 1, hops };
}

function ring(name: string, size: number, say: (plan: HopPlan, rank: number, hop: number) => void): Program {
  const hops = ranksOf(size - 1).map((hop) =>
    planHop(size, (plan) => {
      for (const rank of ranksOf(size)) say(plan, rank, hop);
    }),
  );
  return { name, size, chunks: size, hops };
}

/** `rank` around the ring, which may have gone below 0. */
function at(rank: number, size: number): number {
  return ((rank % size) + size) % size;
}
