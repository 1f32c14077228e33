/** Collectives in about log2(n) hops. */
import type { Program } from "./program.ts";

/**
 * Broadcast of one chunk along a binomial tree: after hop h, 2^(h+1) ranks have it. ceil(log2 n) hops; the root sends
 * it that often, not n-1 times.
 */
export function binomialBroadcast(size: number, root: number): Program {
  const hops: Program["hops"][number][] = [];
  for (let reach = 1; reach < size; reach *= 2) {
    hops.push((rank) => {
      const place = (rank - root + size) % size; // The root's place is 0.
      const to = place < reach && place + reach < size ? [(rank + reach) % size] : [];
      const from = place >= reach && place < 2 * reach ? [(rank - reach + size) % size] : null;
      return {
        sends: to.map((peer) => ({ to: peer, chunk: 0 })),
        writes: from === null ? [] : [{ chunk: 0, from }],
      };
    });
  }
  return { name: "broadcast", size, chunks: 1, hops };
}

/**
 * Barrier by dissemination (Hensgen, Finkel & Manber, 1988): in hop h each rank tells the one 2^h further on, and hears
 * from the one 2^h before. After ceil(log2 n) hops each has heard, through others, from all. The chunk is empty.
 */
export function disseminationBarrier(size: number): Program {
  const hops: Program["hops"][number][] = [];
  for (let distance = 1; distance < size; distance *= 2) {
    hops.push((rank) => ({
      sends: [{ to: (rank + distance) % size, chunk: 0 }],
      writes: [{ chunk: 0, from: [(rank - distance + size) % size, rank] }],
    }));
  }
  return { name: "barrier", size, chunks: 1, hops };
}
