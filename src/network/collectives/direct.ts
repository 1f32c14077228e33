/**
 * Everybody sends to everybody at once: one hop, whatever the size. Made for a full mesh of few peers, where latency
 * and the wait for the slowest count for more than the number of messages.
 */
import { othersAfter, sequence } from "./program.ts";
import type { Program } from "./program.ts";

/**
 * Reduce-scatter: chunk r ends at rank r as the sum over `contributors`, in rank order, so that its bits depend
 * neither on who owns it nor on what arrives first.
 *
 * With equal chunks a contributor sends (n-1)/n of the buffer in one hop.
 */
export function directReduceScatter(size: number, contributors: readonly number[]): Program {
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

/** All-reduce: each rank sends 2(n-1)/n of the buffer in two hops; all end with the same bits, summed in rank order. */
export function directAllReduce(size: number): Program {
  const all = Array.from({ length: size }, (_, rank) => rank);
  return sequence("all-reduce", directReduceScatter(size, all), directAllGather(size));
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

export interface Edge {
  readonly from: number;
  readonly to: number;
}

/** The chunk of `sparseExchange` that holds what goes along an edge. */
export function edgeChunk(edge: Edge, size: number): number {
  return edge.from * size + edge.to;
}
