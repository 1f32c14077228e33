/**
 * Where values live that share memory: pure bookkeeping over lifetimes, no GPU in sight.
 *
 * The larger values choose first, and each takes the tightest gap between those that live at the same time (Pisarchyk
 * and Lee, "Efficient Memory Management for Deep Neural Net Inference", 2020, section 5: greedy by size for offsets).
 */

/** A value's memory is its own from step `first` to step `last`, both included. */
export interface Lifetime {
  readonly bytes: number;
  readonly first: number;
  readonly last: number;
}

export interface Placement {
  /** For each value, its block and the place in it, a multiple of the alignment. */
  readonly places: readonly { readonly block: number; readonly offset: number }[];
  /** For each block, its bytes. */
  readonly blockBytes: readonly number[];
  /** The most bytes that live at the same time: no placement takes less. */
  readonly boundBytes: number;
}

interface Placed extends Lifetime {
  readonly offset: number;
}

/**
 * Places such that values that live at the same time do not overlap; blocks of at most `blockBytesMax`, unless a value
 * alone is larger. Quadratic in the values.
 */
export function planPlacement(lifetimes: readonly Lifetime[], alignment: number, blockBytesMax: number): Placement {
  const aligned = lifetimes.map((lifetime) => ({
    ...lifetime,
    bytes: Math.ceil(lifetime.bytes / alignment) * alignment,
  }));
  const blocks: Placed[][] = [];
  const places = aligned.map(() => ({ block: 0, offset: 0 }));
  const bySize = aligned.map((lifetime, value) => ({ lifetime, value }));
  bySize.sort((a, b) => b.lifetime.bytes - a.lifetime.bytes || a.lifetime.first - b.lifetime.first);
  for (const { lifetime, value } of bySize) {
    let block = 0;
    let offset = 0;
    for (; block < blocks.length; block++) {
      offset = tightestGap(blocks[block] ?? [], lifetime);
      if (offset + lifetime.bytes <= blockBytesMax) break;
    }
    if (block === blocks.length) {
      blocks.push([]);
      offset = 0;
    }
    const others = blocks[block] ?? [];
    others.push({ ...lifetime, offset });
    others.sort((a, b) => a.offset - b.offset);
    places[value] = { block, offset };
  }
  const blockBytes = blocks.map((values) => values.reduce((most, { offset, bytes }) => Math.max(most, offset + bytes), 0)); // prettier-ignore
  return { places, blockBytes, boundBytes: mostAlive(aligned) };
}

/** The start of the smallest gap that `value` fits in, between those alive with it; else behind the last of them. */
function tightestGap(inOrder: readonly Placed[], value: Lifetime): number {
  let end = 0;
  let best: number | undefined;
  let bestBytes = Infinity;
  for (const other of inOrder) {
    if (other.last < value.first || value.last < other.first) continue;
    const gap = other.offset - end;
    if (gap >= value.bytes && gap < bestBytes) {
      best = end;
      bestBytes = gap;
    }
    end = Math.max(end, other.offset + other.bytes);
  }
  return best ?? end;
}

function mostAlive(lifetimes: readonly Lifetime[]): number {
  const changes = lifetimes.flatMap(({ bytes, first, last }) => [
    { step: first, bytes },
    { step: last + 1, bytes: -bytes },
  ]);
  changes.sort((a, b) => a.step - b.step || a.bytes - b.bytes);
  let alive = 0;
  let most = 0;
  for (const { bytes } of changes) {
    alive += bytes;
    most = Math.max(most, alive);
  }
  return most;
}
