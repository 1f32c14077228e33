/** A snapshot of device memory, made small enough to be told to every member all the time. */
import type { MemoryKind, MemorySnapshot } from "../compute/memory/snapshot.ts";
import { CELLS_MAX, SLABS_MAX, encodeCells, type CellUse, type MemorySummary } from "../network/wire/memory-summary.ts";

type Pages = readonly (MemoryKind | null)[];

/**
 * What members tell each other about `snapshot`. The map has a cell for each page where there are few, else one for the
 * smallest power of two of pages that will do: so the picture stays put while slabs come and go. Sizes are rounded to
 * four digits, since people read three, and a summary that is equal to the last one is not sent.
 */
export function summarizeMemory(snapshot: MemorySnapshot): MemorySummary {
  const slabs = joined(
    snapshot.slabs.map((slab) => slab.pages),
    SLABS_MAX,
  );
  const pagesPerCell = pagesToCell(slabs);
  const { moves, pressure, budgetBytes, deviceLosses } = snapshot;
  return {
    pageBytes: snapshot.pageBytes,
    pagesPerCell,
    slabs: slabs.map((pages) => encodeCells(cellsOf(pages, pagesPerCell))),
    bytesByKind: roundedAll(snapshot.bytesByKind),
    budgetBytes,
    takenBytes: rounded(snapshot.takenBytes),
    usedBytes: rounded(snapshot.usedBytes),
    requestedBytes: rounded(snapshot.requestedBytes),
    peakBytes: rounded(snapshot.peakBytes),
    plannedBytes: rounded(snapshot.plannedBytes),
    boundBytes: rounded(snapshot.boundBytes),
    fragmentation: Math.round(snapshot.fragmentation * 100) / 100,
    hostBytes: rounded(snapshot.hostBytes),
    moves: { count: moves.count, bytes: rounded(moves.bytes) },
    pressure: {
      cachesDropped: pressure.cachesDropped,
      recomputed: pressure.recomputed,
      offloaded: pressure.offloaded,
      reloaded: pressure.reloaded,
      microBatched: pressure.microBatched,
    },
    deviceLosses,
  };
}

/** `slabs`, where there are more than `countMax` with neighbours drawn as one. */
function joined(slabs: readonly Pages[], countMax: number): Pages[] {
  const together = Math.ceil(slabs.length / countMax);
  if (together <= 1) return [...slabs];
  return Array.from({ length: Math.ceil(slabs.length / together) }, (_, at) =>
    slabs.slice(at * together, (at + 1) * together).flat(),
  );
}

function pagesToCell(slabs: readonly Pages[]): number {
  let pagesPerCell = 1;
  const count = (): number => slabs.reduce((sum, pages) => sum + Math.ceil(pages.length / pagesPerCell), 0);
  while (count() > CELLS_MAX) pagesPerCell *= 2;
  return pagesPerCell;
}

function cellsOf(pages: Pages, pagesPerCell: number): CellUse[] {
  return Array.from({ length: Math.ceil(pages.length / pagesPerCell) }, (_, cell) =>
    mostOf(pages.slice(cell * pagesPerCell, (cell + 1) * pagesPerCell)),
  );
}

/** What most of `pages` hold. Of equally many it is the first, but free only where nothing else is as frequent. */
function mostOf(pages: Pages): CellUse {
  const counts = new Map<CellUse, number>();
  for (const page of pages) counts.set(page ?? "free", (counts.get(page ?? "free") ?? 0) + 1);
  let most: CellUse = "free";
  for (const [use, count] of counts) {
    const best = counts.get(most) ?? 0;
    if (count > best || (count === best && most === "free")) most = use;
  }
  return most;
}

/** Four significant digits. */
function rounded(bytes: number): number {
  return Number(bytes.toPrecision(4));
}

function roundedAll<K extends string>(bytes: Readonly<Record<K, number>>): Record<K, number> {
  const entries = Object.entries<number>(bytes).map(([kind, value]) => [kind, rounded(value)]);
  return Object.fromEntries(entries) as Record<K, number>;
}
