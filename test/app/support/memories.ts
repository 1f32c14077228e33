/** Memory to show: a plain snapshot as a training step of some size leaves it, a function of its arguments alone. */
import { Random } from "../../../src/base/random.ts";
import { MEMORY_KINDS } from "../../../src/compute/memory/snapshot.ts";
import type { MemoryKind, MemorySnapshot } from "../../../src/compute/memory/snapshot.ts";

const PAGE_BYTES = 256 * 1024;

/** Pages of each kind in a row, as a model and its step take them. */
const RUNS: readonly (readonly [MemoryKind | null, share: number])[] = [
  ["parameters", 0.16],
  ["optimizer", 0.3],
  ["gradients", 0.14],
  ["activations", 0.22],
  [null, 0.04],
  ["communication", 0.05],
  ["other", 0.02],
  ["cache", 0.03],
  [null, 0.04],
];

/** A runtime with slabs of so many pages; `seed` moves a few of them about. */
export function fakeSnapshot(
  pages: readonly number[],
  seed = 1,
  changes: Partial<MemorySnapshot> = {},
): MemorySnapshot {
  const random = new Random(seed, "memories");
  const total = pages.reduce((sum, count) => sum + count, 0);
  const line = RUNS.flatMap(([kind, share]) =>
    Array.from({ length: Math.ceil(share * total) }, () => (random.uniform() < 0.04 ? null : kind)),
  );
  let from = 0;
  const slabs = pages.map((count) => ({ pages: line.slice(from, (from += count)) }));
  const bytesOf = (kind: MemoryKind): number =>
    PAGE_BYTES * slabs.flatMap((slab) => slab.pages).filter((page) => page === kind).length;
  const bytesByKind = Object.fromEntries(MEMORY_KINDS.map((kind) => [kind, bytesOf(kind)])) as Record<
    MemoryKind,
    number
  >;
  const usedBytes = Object.values(bytesByKind).reduce((sum, bytes) => sum + bytes, 0);
  return {
    pageBytes: PAGE_BYTES,
    slabs,
    bytesByKind,
    budgetBytes: Math.round(PAGE_BYTES * total * 1.25),
    takenBytes: PAGE_BYTES * total,
    usedBytes,
    requestedBytes: Math.round(usedBytes * 0.97),
    peakBytes: Math.min(PAGE_BYTES * total, Math.round(usedBytes * 1.06)),
    plannedBytes: bytesByKind.activations,
    boundBytes: Math.round(bytesByKind.activations / 1.07),
    fragmentation: 0.1234,
    hostBytes: 12 * 1024 ** 2,
    moves: { count: 14, bytes: 37 * PAGE_BYTES },
    pressure: { cachesDropped: 2, recomputed: 5, offloaded: 1, reloaded: 0, microBatched: 1 },
    deviceLosses: 1,
    ...changes,
  };
}
