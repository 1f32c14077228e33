/** Where the chunks of a program lie in a buffer. */
import type { Bytes } from "../../base/bytes.ts";

/** Chunk c is bytes [bounds[c], bounds[c + 1]). */
export interface Layout {
  readonly bounds: readonly number[];
}

/** `chunks` parts whose sizes differ by one element at most. */
export function evenLayout(elements: number, chunks: number, elementBytes: number): Layout {
  return { bounds: evenBounds(elements, chunks).map((bound) => bound * elementBytes) };
}

/** `count` + 1 offsets from 0 to `elements`. */
function evenBounds(elements: number, count: number): number[] {
  return Array.from({ length: count + 1 }, (_, at) => Math.floor((at * elements) / count));
}

/** Each share, between element offsets, cut into `slices` even chunks. */
export function sharedLayout(shares: readonly number[], slices: number, elementBytes: number): Layout {
  const bounds = shares.slice(0, -1).flatMap((from, share) => {
    const inside = evenBounds((shares[share + 1] ?? from) - from, slices);
    return inside.slice(0, -1).map((at) => (from + at) * elementBytes);
  });
  return { bounds: [...bounds, (shares.at(-1) ?? 0) * elementBytes] };
}

/** The size of a chunk in bytes. */
export function chunkBytes({ bounds }: Layout, chunk: number): number {
  return (bounds[chunk + 1] ?? 0) - (bounds[chunk] ?? 0);
}

/** Views of `bytes`, whose first one is chunk `first`. */
export function cutChunks(bytes: Bytes, { bounds }: Layout, first: number = 0, count?: number): Map<number, Bytes> {
  const start = bounds[first] ?? 0;
  const end = count === undefined ? bounds.length - 1 : first + count;
  const chunks = new Map<number, Bytes>();
  for (let chunk = first; chunk < end; chunk++) {
    chunks.set(chunk, bytes.subarray((bounds[chunk] ?? 0) - start, (bounds[chunk + 1] ?? 0) - start));
  }
  return chunks;
}
