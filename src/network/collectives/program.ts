/**
 * A collective is data, after MSCCL (Cowan et al., 2023): for each hop, what a rank sends and what it writes. One
 * interpreter runs every program, a checker proves them, and neither knows what is in a chunk.
 *
 * Hops give the order of what happens to one chunk. Different chunks do not wait for one another, so a program over
 * many chunks is a pipeline by itself; `inStep` programs alone finish a hop before they begin the next.
 */

/** A message: the sender's value of `chunk`, as it was when the hop began. */
export interface Send {
  readonly to: number;
  readonly chunk: number;
}

/**
 * The sum of these ranks' values, added up in this order, becomes the own value of `chunk`. Each rank but the own one
 * sends its value in this hop; the own one adds what it has. So one other rank alone is a copy, and none is zeros.
 */
export interface Write {
  readonly chunk: number;
  readonly from: readonly number[];
}

/** What one rank does in one hop: sends, then writes with what others sent in it. */
export interface Hop {
  readonly sends: readonly Send[];
  readonly writes: readonly Write[];
}

/** A collective among `size` ranks over a buffer cut in `chunks`. */
export interface Program {
  readonly name: string;
  /** Number of ranks. */
  readonly size: number;
  /** Number of chunks. */
  readonly chunks: number;
  /** What each rank does, hop by hop. */
  readonly hops: readonly ((rank: number) => Hop)[];
  /** A rank begins a hop when it has finished the one before, so that no rank hears from many at once. */
  readonly inStep?: boolean;
}

/** What happens in one hop, said once for both ends of each message. */
export interface HopPlan {
  /** `to` takes over `from`'s value. Nothing where both are the same rank. */
  copy(chunk: number, from: number, to: number): void;
  /** `at` gets the sum over `from`, in this order, its own among them or not. */
  reduce(chunk: number, from: readonly number[], at: number): void;
}

/** One hop of a program, by what moves in it. */
export function planHop(size: number, say: (plan: HopPlan) => void): (rank: number) => Hop {
  const hops = ranksOf(size).map(() => ({ sends: [] as Send[], writes: [] as Write[] }));
  const reduce: HopPlan["reduce"] = (chunk, from, at) => {
    for (const rank of from) if (rank !== at) hops[rank]?.sends.push({ to: at, chunk });
    hops[at]?.writes.push({ chunk, from });
  };
  say({ reduce, copy: (chunk, from, to) => (from === to ? undefined : reduce(chunk, [from], to)) });
  return (rank) => hops[rank] ?? { sends: [], writes: [] };
}

/** One program after another over the same chunks. */
export function sequence(name: string, first: Program, second: Program): Program {
  return { ...first, name, hops: [...first.hops, ...second.hops] };
}

/**
 * Each chunk cut in `slices`, which go their ways one behind the other: chunk c becomes c * slices and the following
 * ones. Messages are as many times more, bytes the same; a slice is passed on while the next arrives.
 */
export function sliced(program: Program, slices: number): Program {
  if (slices === 1) return program;
  const cut = <T extends { readonly chunk: number }>(all: readonly T[]): T[] =>
    ranksOf(slices).flatMap((slice) => all.map((one) => ({ ...one, chunk: one.chunk * slices + slice })));
  const hops = program.hops.map((hop) => (rank: number) => {
    const { sends, writes } = hop(rank);
    return { sends: cut(sends), writes: cut(writes) };
  });
  return { ...program, chunks: program.chunks * slices, hops };
}

/**
 * The program with its places taken by other ranks: `order[place]` is the rank there. Chunk r belongs to rank r still
 * where `moves` says that chunks belong to ranks.
 */
export function reordered(program: Program, order: readonly number[], moves: "chunks" | "ranks"): Program {
  const placeOf = new Map(order.map((rank, place) => [rank, place]));
  const rankAt = (place: number): number => order[place] ?? place;
  const chunkAt = (chunk: number): number => (moves === "chunks" ? rankAt(chunk) : chunk);
  const hops = program.hops.map((hop) => (rank: number) => {
    const { sends, writes } = hop(placeOf.get(rank) ?? rank);
    return {
      sends: sends.map(({ to, chunk }) => ({ to: rankAt(to), chunk: chunkAt(chunk) })),
      writes: writes.map(({ chunk, from }) => ({ chunk: chunkAt(chunk), from: from.map(rankAt) })),
    };
  });
  return { ...program, hops };
}

/** All ranks, from 0. */
export function ranksOf(size: number): number[] {
  return Array.from({ length: size }, (_, rank) => rank);
}

/** The other ranks, the next one first: if all started with rank 0, its link would be everybody's bottleneck. */
export function othersAfter(rank: number, size: number): number[] {
  return Array.from({ length: size - 1 }, (_, index) => (rank + index + 1) % size);
}
