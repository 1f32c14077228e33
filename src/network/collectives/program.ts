/**
 * A collective is data: for each hop, what a rank sends and what it writes. One interpreter runs every program, a
 * checker proves them for many sizes, and neither knows what is in a chunk.
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

/** What one rank does in one hop: sends, then waits for all it needs, then writes. */
export interface Hop {
  readonly sends: readonly Send[];
  readonly writes: readonly Write[];
}

export interface Program {
  readonly name: string;
  /** Number of ranks. */
  readonly size: number;
  /** Number of chunks. */
  readonly chunks: number;
  readonly hops: readonly ((rank: number) => Hop)[];
}

/** One program after another over the same chunks. */
export function sequence(name: string, first: Program, second: Program): Program {
  return { ...first, name, hops: [...first.hops, ...second.hops] };
}

/** The other ranks, the next one first: if all started with rank 0, its link would be everybody's bottleneck. */
export function othersAfter(rank: number, size: number): number[] {
  return Array.from({ length: size - 1 }, (_, index) => (rank + index + 1) % size);
}
