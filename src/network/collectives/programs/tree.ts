/** Collectives along a binomial tree, in about log2(n) hops: for small buffers, where each hop costs a latency. */
import { planHop, ranksOf, sequence } from "../program.ts";
import type { Program } from "../program.ts";

/** Broadcast of one chunk: after hop h, 2^(h+1) ranks have it. ceil(log2 n) hops; the root sends it that often. */
export function binomialBroadcast(size: number, root: number): Program {
  const hops = reaches(size).map((reach) =>
    planHop(size, (plan) => {
      for (const [parent, child] of branches(size, root, reach)) plan.copy(0, parent, child);
    }),
  );
  return { name: "broadcast", size, chunks: 1, hops };
}

/** Reduce of one chunk to the root: the broadcast backwards. ceil(log2 n) hops, each rank but the root sends once. */
export function binomialReduce(size: number, root: number): Program {
  const hops = reaches(size)
    .reverse()
    .map((reach) =>
      planHop(size, (plan) => {
        for (const [parent, child] of branches(size, root, reach)) plan.reduce(0, [parent, child], parent);
      }),
    );
  return { name: "tree-reduce", size, chunks: 1, hops };
}

/** All-reduce of one chunk: reduce to rank 0, then broadcast. 2 ceil(log2 n) hops. */
export function binomialAllReduce(size: number): Program {
  return sequence("tree-all-reduce", binomialReduce(size, 0), binomialBroadcast(size, 0));
}

/** Scatter: chunk r ends at rank r; each hop hands on what a whole subtree needs. ceil(log2 n) hops. */
export function binomialScatter(size: number, root: number): Program {
  const hops = reaches(size)
    .reverse()
    .map((reach) =>
      planHop(size, (plan) => {
        for (const { parent, child, chunk } of subtrees(size, root, reach)) plan.copy(chunk, parent, child);
      }),
    );
  return { name: "tree-scatter", size, chunks: size, hops };
}

/** Gather: chunk r goes from rank r to the root; the scatter backwards. ceil(log2 n) hops. */
export function binomialGather(size: number, root: number): Program {
  const hops = reaches(size).map((reach) =>
    planHop(size, (plan) => {
      for (const { parent, child, chunk } of subtrees(size, root, reach)) plan.copy(chunk, child, parent);
    }),
  );
  return { name: "tree-gather", size, chunks: size, hops };
}

/**
 * Barrier by dissemination (Hensgen, Finkel & Manber, 1988): in hop h each rank tells the one 2^h further on, and hears
 * from the one 2^h before. After ceil(log2 n) hops each has heard, through others, from all. The chunk is empty.
 */
export function disseminationBarrier(size: number): Program {
  const hops = reaches(size).map((distance) =>
    planHop(size, (plan) => {
      for (const rank of ranksOf(size)) plan.reduce(0, [(rank - distance + size) % size, rank], rank);
    }),
  );
  return { name: "barrier", size, chunks: 1, hops };
}

/** 1, 2, 4, ... below the size. */
function reaches(size: number): number[] {
  const all: number[] = [];
  for (let reach = 1; reach < size; reach *= 2) all.push(reach);
  return all;
}

/** [parent, child] of a broadcast's hop in which places below `reach` have it. The root's place is 0. */
function branches(size: number, root: number, reach: number): [number, number][] {
  const rankAt = (place: number): number => (place + root) % size;
  return ranksOf(Math.max(0, Math.min(reach, size - reach))).map((place) => [rankAt(place), rankAt(place + reach)]);
}

/** Subtrees of `reach` places that hang at places which 2 * reach divides, and the chunks that belong to them. */
function subtrees(size: number, root: number, reach: number): { parent: number; child: number; chunk: number }[] {
  const rankAt = (place: number): number => (place + root) % size;
  const found: { parent: number; child: number; chunk: number }[] = [];
  for (let place = 0; place + reach < size; place += 2 * reach) {
    const child = place + reach;
    for (let inside = child; inside < Math.min(child + reach, size); inside++) {
      found.push({ parent: rankAt(place), child: rankAt(child), chunk: rankAt(inside) });
    }
  }
  return found;
}
