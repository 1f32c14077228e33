/**
 * Bringing free pages together by moving what is between them, as cheaply as is easily found.
 *
 * A run of `wanted` pages is made in one of two ways. *Clearing*: all that is in a window of pages moves to free runs
 * elsewhere. *Sliding*: between free runs that come to `wanted` together, all moves down to the first of them. Windows
 * begin and end with runs, so there are about as many as runs; sliding always works, clearing where there is room.
 */
import { GRANULE_BYTES, type Allocation, type Holding } from "./allocation.ts";
import type { Moved, PageRun, PageTable } from "./page-table.ts";

/** Windows to clear that are tried, the cheapest first. */
const WINDOWS_TRIED_MAX = 16;

/**
 * The bytes [fromOffset, fromOffset + bytes) of a slab are to be copied to another place. Moves are made one after the
 * other, in order. Places overlap only where an allocation moves down in its slab, so that copying upward, in pieces of
 * at most fromOffset - toOffset, is right. A shared page that moves is one move for each of its allocations.
 */
export interface Move {
  readonly allocation: Allocation;
  readonly fromSlab: number;
  readonly fromOffset: number;
  readonly toSlab: number;
  readonly toOffset: number;
  /** Of what was asked for, in whole granules. */
  readonly bytes: number;
}

/** The runs [start, end) of a slab, and what it costs to make a run of free pages of them. */
interface Window {
  readonly slab: readonly PageRun[];
  readonly start: number;
  readonly end: number;
  readonly costBytes: number;
}

/** Makes a run of `wanted` free pages if that takes moves of at most `bytesMax`, else goes so far on the way to it. */
export function planCompaction(table: PageTable, wanted: number, bytesMax: number): Move[] {
  if (table.largestFreePages >= wanted) return [];
  const slabs = table.slabs.map((slab) => [...table.runsOf(slab)]);
  const slide = cheapestOf(slabs.flatMap((runs) => windowsOf(runs, wanted, (run) => !run.holding)));
  const clearings = slabs
    .flatMap((runs) => windowsOf(runs, wanted, () => true))
    .filter(({ costBytes }) => costBytes <= bytesMax && costBytes <= (slide?.costBytes ?? Infinity))
    .sort((a, b) => a.costBytes - b.costBytes);
  for (const { slab, start, end } of clearings.slice(0, WINDOWS_TRIED_MAX)) {
    const runs = slab.slice(start, end);
    const moved = clear(table, runs, heldIn(runs), true);
    if (moved.length > 0) return moved.flatMap(movesOf);
  }
  if (slide === undefined || slide.costBytes > bytesMax) return slideAllDown(table, slabs, bytesMax);
  return slideDown(table, slide.slab.slice(slide.start, slide.end), bytesMax);
}

/** Makes a run of `wanted` free pages in a slab besides `outside`, by sliding, as far as moves of `bytesMax` go. */
export function planGathering(table: PageTable, wanted: number, bytesMax: number, outside: number): Move[] {
  const slabs = table.slabs.filter((slab) => slab !== outside).map((slab) => [...table.runsOf(slab)]);
  if (slabs.flat().some(({ holding, pages }) => !holding && pages >= wanted)) return [];
  const slide = cheapestOf(slabs.flatMap((runs) => windowsOf(runs, wanted, (run) => !run.holding)));
  if (slide === undefined || slide.costBytes > bytesMax) return [];
  return slideDown(table, slide.slab.slice(slide.start, slide.end), bytesMax);
}

/** Moves what is in `slab` to other slabs, as far as there is room and `bytesMax` goes. */
export function planEvacuation(table: PageTable, slab: number, bytesMax: number): Move[] {
  const runs = [...table.runsOf(slab)];
  let leftBytes = bytesMax;
  const holdings = heldIn(runs).filter((holding) => {
    const costBytes = copiedBytes(holding);
    if (costBytes > leftBytes) return false;
    leftBytes -= costBytes;
    return true;
  });
  return clear(table, runs, holdings, false).flatMap(movesOf);
}

/** For each run to start with, the shortest window whose counted runs come to `wanted` pages. */
function windowsOf(runs: readonly PageRun[], wanted: number, counts: (run: PageRun) => boolean): Window[] {
  const windows: Window[] = [];
  const costs = runs.map(({ holding }) => (holding ? copiedBytes(holding) : 0));
  let end = 0;
  let pages = 0;
  let costBytes = 0;
  for (const [start, first] of runs.entries()) {
    for (; end < runs.length && pages < wanted; end++) {
      const last = runs[end];
      if (last !== undefined && counts(last)) pages += last.pages;
      costBytes += costs[end] ?? 0;
    }
    if (pages < wanted) break;
    if (counts(first)) {
      windows.push({ slab: runs, start, end, costBytes });
      pages -= first.pages;
    }
    costBytes -= costs[start] ?? 0;
  }
  return windows;
}

function cheapestOf(windows: readonly Window[]): Window | undefined {
  let best: Window | undefined;
  for (const window of windows) if (best === undefined || window.costBytes < best.costBytes) best = window;
  return best;
}

function clear(
  table: PageTable,
  runs: readonly PageRun[],
  holdings: readonly Holding[],
  allOrNone: boolean,
): readonly Moved[] {
  const first = runs[0]?.page ?? 0;
  const end = runs.reduce((sum, { pages }) => sum + pages, first);
  return table.moveOut(holdings, first, end, allOrNone);
}

/** Closes the gaps in neighbouring runs of a slab, from below. What is too large for what is left of `bytesMax` stays. */
function slideDown(table: PageTable, runs: readonly PageRun[], bytesMax: number): Move[] {
  const moves: Move[] = [];
  let leftBytes = bytesMax;
  let freePage: number | undefined;
  for (const { page, holding } of runs) {
    if (holding === undefined) {
      freePage ??= page;
    } else if (freePage !== undefined) {
      const costBytes = copiedBytes(holding);
      if (costBytes > leftBytes) {
        freePage = undefined;
        continue;
      }
      leftBytes -= costBytes;
      moves.push(...movesOf(table.slideDown(holding, freePage)));
      freePage += holding.pages;
    }
  }
  return moves;
}

/** The slabs with the most free pages first. */
function slideAllDown(table: PageTable, slabs: readonly (readonly PageRun[])[], bytesMax: number): Move[] {
  const moves: Move[] = [];
  let leftBytes = bytesMax;
  for (const runs of [...slabs].sort((a, b) => freePagesOf(b) - freePagesOf(a))) {
    const made = slideDown(table, runs, leftBytes);
    moves.push(...made);
    leftBytes -= made.reduce((sum, { bytes }) => sum + bytes, 0);
  }
  return moves;
}

function freePagesOf(runs: readonly PageRun[]): number {
  return runs.reduce((sum, { pages, holding }) => sum + (holding ? 0 : pages), 0);
}

function heldIn(runs: readonly PageRun[]): Holding[] {
  return runs.flatMap(({ holding }) => holding ?? []);
}

function copiedBytes({ allocations }: Holding): number {
  return allocations.reduce((sum, { bytes }) => sum + inGranules(bytes), 0);
}

function inGranules(bytes: number): number {
  return Math.max(1, Math.ceil(bytes / GRANULE_BYTES)) * GRANULE_BYTES;
}

function movesOf({ holding, fromSlab, fromOffset }: Moved): Move[] {
  return holding.allocations.map((allocation) => ({
    allocation,
    fromSlab,
    fromOffset: fromOffset + allocation.offset - holding.offset,
    toSlab: allocation.slab,
    toOffset: allocation.offset,
    bytes: inGranules(allocation.bytes),
  }));
}
