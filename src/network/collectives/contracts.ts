/** What each verb promises, chunk by chunk: what the checker holds programs to. */
import { ranksOf } from "./program.ts";
import type { Edge } from "./programs/direct.ts";
import { edgeChunk } from "./programs/direct.ts";

/** Who has what before and after a program. */
export interface Contract {
  /** Whether a rank has a value of its own in a chunk when the program begins. */
  starts(rank: number, chunk: number): boolean;
  /** Whose contributions a rank's chunk is the sum of at the end; null where it does not matter. */
  ends(rank: number, chunk: number): readonly number[] | null;
  /** Contributions may count more than once: of a barrier, which only has to have heard from all. */
  readonly isLoose?: boolean;
}

/** Chunks of a verb's smallest program: a sliced one has a multiple, and they belong to ranks accordingly. */
const ownerOf = (chunk: number, size: number, chunks: number): number => Math.floor((chunk * size) / chunks);

/** Every rank has all chunks, and ends with their sums. */
export function allReduceContract(size: number): Contract {
  return { starts: () => true, ends: () => ranksOf(size) };
}

/** Every rank has all chunks (of those that contribute), and ends with the sums of its own. */
export function reduceScatterContract(
  size: number,
  chunks: number = size,
  contributors: readonly number[] = ranksOf(size),
): Contract {
  return {
    starts: (rank) => contributors.includes(rank),
    ends: (rank, chunk) => (ownerOf(chunk, size, chunks) === rank ? contributors : null),
  };
}

/** Every rank has its own chunks, and ends with all. */
export function allGatherContract(size: number, chunks: number = size): Contract {
  return {
    starts: (rank, chunk) => ownerOf(chunk, size, chunks) === rank,
    ends: (_, chunk) => [ownerOf(chunk, size, chunks)],
  };
}

/** The root has all chunks, and every rank ends with them. */
export function broadcastContract(root: number): Contract {
  return { starts: (rank) => rank === root, ends: () => [root] };
}

/** Every rank has all chunks, and the root ends with their sums. */
export function reduceContract(size: number, root: number): Contract {
  return { starts: () => true, ends: (rank) => (rank === root ? ranksOf(size) : null) };
}

/** The root has all chunks, and every rank ends with its own. */
export function scatterContract(size: number, root: number, chunks: number = size): Contract {
  return {
    starts: (rank) => rank === root,
    ends: (rank, chunk) => (ownerOf(chunk, size, chunks) === rank ? [root] : null),
  };
}

/** Every rank has its own chunks, and the root ends with all. */
export function gatherContract(size: number, root: number, chunks: number = size): Contract {
  return {
    starts: (rank, chunk) => ownerOf(chunk, size, chunks) === rank,
    ends: (rank, chunk) => (rank === root ? [ownerOf(chunk, size, chunks)] : null),
  };
}

/** Each edge's chunk goes from its first rank to its second. */
export function exchangeContract(size: number, edges: readonly Edge[]): Contract {
  const known = new Set(edges.map((edge) => edgeChunk(edge, size)));
  return {
    starts: (rank, chunk) => Math.floor(chunk / size) === rank,
    ends: (rank, chunk) => (known.has(chunk) && chunk % size === rank ? [Math.floor(chunk / size)] : null),
  };
}

/** Every rank hears, through others, from all. */
export function barrierContract(size: number): Contract {
  return { ...allReduceContract(size), isLoose: true };
}
