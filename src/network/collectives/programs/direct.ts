/**
 * Everybody sends to everybody at once: one hop, whatever the size. Made for a full mesh of few peers, where latency
 * and the wait for the slowest count for more than the number of messages.
 */
import { othersAfter, planHop, ranksOf, sequence } from "../program.ts";
import type { Program } from "../program.ts";

/**
 * Reduce-scatter: chunk r ends at rank r as the sum over `contributors`, in rank order, so that its bits depend
 * neither on who owns it nor on what arrives first.
 *
 * With equal chunks a contributor sends (n-1)/n of the buffer in one hop.
 */
export function directReduceScatter(size: number, contributors: readonly number[] = ranksOf(size)): Program {
  const gives = new Set(contributors);
  return {
    name: "reduce-scatter",
    size,
    chunks: size,
    hops: [
      (rank) => ({
        sends: gives.has(rank) ? othersAfter(rank, size).map((to) => ({ to, chunk: to })) : [],
        writes: [{ chunk: rank, from: contributors }],
      }),
    ],
  };
}

/** All-gather: chunk r goes from rank r to everybody. Each rank sends its chunk n-1 times, in one hop. */
export function directAllGather(size: number): Program {
  return {
    name: "all-gather",
    size,
    chunks: size,
    hops: [
      (rank) => ({
        sends: othersAfter(rank, size).map((to) => ({ to, chunk: rank })),
        writes: othersAfter(rank, size).map((from) => ({ chunk: from, from: [from] })),
      }),
    ],
  };
}

/**
 * All-reduce: each rank sends 2(n-1)/n of the buffer in two hops; all end with the same bits, summed in rank order.
 * With chunks of unequal shares it is the butterfly for unequal links (see `linkShares`).
 */
export function directAllReduce(size: number): Program {
  return sequence("all-reduce", directReduceScatter(size), directAllGather(size));
}

/**
 * All-reduce of what is small: everybody tells everybody all, and adds up in rank order. One hop, where the direct one
 * takes two; a rank sends n-1 times the buffer.
 */
export function oneShotAllReduce(size: number): Program {
  const hop: Program["hops"][number] = (rank) => ({
    sends: othersAfter(rank, size).map((to) => ({ to, chunk: 0 })),
    writes: [{ chunk: 0, from: ranksOf(size) }],
  });
  return { name: "one-shot-all-reduce", size, chunks: 1, hops: size > 1 ? [hop] : [] };
}

/** Broadcast of one chunk: the root sends it n-1 times, in one hop. */
export function directBroadcast(size: number, root: number): Program {
  return fromRoot("broadcast", size, 1, (plan) => {
    for (const to of othersAfter(root, size)) plan.copy(0, root, to);
  });
}

/** Reduce of one chunk to the root, in rank order, in one hop. */
export function directReduce(size: number, root: number): Program {
  return fromRoot("reduce", size, 1, (plan) => plan.reduce(0, ranksOf(size), root));
}

/** Scatter: chunk r goes from the root to rank r, in one hop. */
export function directScatter(size: number, root: number): Program {
  return fromRoot("scatter", size, size, (plan) => {
    for (const to of othersAfter(root, size)) plan.copy(to, root, to);
  });
}

/** Gather: chunk r goes from rank r to the root, in one hop. */
export function directGather(size: number, root: number): Program {
  return fromRoot("gather", size, size, (plan) => {
    for (const from of othersAfter(root, size)) plan.copy(from, from, root);
  });
}

/** All-to-all: the chunk of each edge (see `edgeChunk`) goes along it, all in one hop. */
export function directAllToAll(size: number): Program {
  return fromRoot("all-to-all", size, size * size, (plan) => {
    for (const from of ranksOf(size)) {
      for (const to of othersAfter(from, size)) plan.copy(edgeChunk({ from, to }, size), from, to);
    }
  });
}

/** Messages between any pairs, each its own chunk: `edgeChunk` says which. A rank may know only its own pairs. */
export function sparseExchange(name: string, size: number, edges: readonly Edge[]): Program {
  return {
    name,
    size,
    chunks: size * size,
    hops: [
      (rank) => ({
        sends: edges
          .filter((edge) => edge.from === rank)
          .map((edge) => ({ to: edge.to, chunk: edgeChunk(edge, size) })),
        writes: edges
          .filter((edge) => edge.to === rank)
          .map((edge) => ({ chunk: edgeChunk(edge, size), from: [edge.from] })),
      }),
    ],
  };
}

/** One rank's way to another. */
export interface Edge {
  readonly from: number;
  readonly to: number;
}

/** The chunk of an exchange that holds what goes along an edge. */
export function edgeChunk(edge: Edge, size: number): number {
  return edge.from * size + edge.to;
}

function fromRoot(name: string, size: number, chunks: number, say: Parameters<typeof planHop>[1]): Program {
  return { name, size, chunks, hops: [planHop(size, say)] };
}
