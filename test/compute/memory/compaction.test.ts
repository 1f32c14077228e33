/** Moves: bytes survive, free pages come together, and nothing costs more than was allowed. */
import { assert, expect, test } from "vitest";
import fc from "fast-check";
import { PAGE_BYTES, Pages, type Allocation, type Move } from "../../../src/compute/memory/pages.ts";
import { checkPlaces, Memory } from "./pages-model.ts";

const SLAB_PAGES = 24;
const sizes = fc.oneof(fc.nat(9000), fc.nat(6 * PAGE_BYTES));
/** What is taken, and which of it is given back after. */
const traces = fc.array(fc.record({ bytes: sizes, isGiven: fc.boolean() }), { minLength: 10, maxLength: 80 });

interface Filled {
  readonly pages: Pages;
  readonly memory: Memory;
  readonly valueOf: Map<Allocation, number>;
}

function filled(trace: readonly { readonly bytes: number; readonly isGiven: boolean }[]): Filled {
  const pages = new Pages();
  for (let slab = 0; slab < 3; slab++) pages.addSlab(SLAB_PAGES * PAGE_BYTES);
  const taken = trace.map(({ bytes, isGiven }) => ({ isGiven, allocation: pages.take(bytes, "activations") }));
  const memory = new Memory(pages);
  const valueOf = new Map<Allocation, number>();
  for (const [i, { isGiven, allocation }] of taken.entries()) {
    if (allocation === undefined) continue;
    if (isGiven) pages.give(allocation);
    else {
      memory.fill(allocation, i + 1);
      valueOf.set(allocation, i + 1);
    }
  }
  return { pages, memory, valueOf };
}

/** Carries the moves out and checks all: their cost. */
function carryOut({ pages, memory, valueOf }: Filled, moves: readonly Move[]): number {
  for (const move of moves) memory.copy(move);
  for (const [allocation, value] of valueOf) assert.deepEqual(memory.valuesOf(allocation), [value]);
  checkPlaces(pages, new Set(valueOf.keys()));
  return moves.reduce((sum, { bytes }) => sum + bytes, 0);
}

function mostFree(pages: Pages): number {
  return Math.max(...[...pages.slabs()].map(({ freeBytes }) => freeBytes));
}

test("bytes survive compaction, and a run is free if a slab has so many free pages", () => {
  fc.assert(
    fc.property(traces, fc.integer({ min: 1, max: 30 }), (trace, wantedPages) => {
      const all = filled(trace);
      const wantedBytes = wantedPages * PAGE_BYTES;
      carryOut(all, all.pages.compact(wantedBytes, Infinity));
      const { largestFreeBytes, fragmentation } = all.pages;
      if (largestFreeBytes >= wantedBytes) expect(all.pages.compact(wantedBytes, Infinity)).toEqual([]);
      else
        expect({ fragmentation, mostFree: mostFree(all.pages) }).toEqual({
          fragmentation: 0,
          mostFree: largestFreeBytes,
        });
    }),
    { seed: 31, numRuns: 60, endOnFailure: true },
  );
});

test("no call moves more than it may, and calls come to an end together", () => {
  fc.assert(
    fc.property(traces, fc.integer({ min: 1, max: 12 }), (trace, pagesMax) => {
      const all = filled(trace);
      const wantedBytes = mostFree(all.pages);
      const bytesMax = pagesMax * PAGE_BYTES;
      let calls = 0;
      for (; calls < 200; calls++) {
        const moves = all.pages.compact(wantedBytes, bytesMax);
        expect(carryOut(all, moves)).toBeLessThanOrEqual(bytesMax);
        if (moves.length === 0) break;
      }
      expect(calls).toBeLessThan(200);
      if (pagesMax >= 6) expect(all.pages.largestFreeBytes).toBeGreaterThanOrEqual(wantedBytes);
    }),
    { seed: 32, numRuns: 60, endOnFailure: true },
  );
});

test("emptying a slab brings the others' free pages together, and keeps all bytes", () => {
  fc.assert(
    fc.property(traces, fc.nat(2), fc.integer({ min: 6, max: 40 }), (trace, slab, pagesMax) => {
      const all = filled(trace);
      for (let calls = 0; calls < 30; calls++) {
        const moves = all.pages.empty(slab, pagesMax * PAGE_BYTES);
        expect(carryOut(all, moves)).toBeLessThanOrEqual(pagesMax * PAGE_BYTES);
        for (const move of moves) expect(move.toSlab).not.toBe(slab);
        if (moves.length === 0) break;
      }
      const left = [...all.pages.allocations()].filter((allocation) => allocation.slab === slab);
      expect(all.pages.isSlabEmpty(slab)).toBe(left.length === 0);
    }),
    { seed: 34, numRuns: 60, endOnFailure: true },
  );
});

test("what stands alone in free pages moves out of their way, and nothing else does", () => {
  const pages = new Pages();
  pages.addSlab(16 * PAGE_BYTES);
  const taken = [4, 1, 4, 3, 2, 2].map((count) => pages.take(count * PAGE_BYTES, "other") as Allocation);
  for (const at of [0, 2, 4]) pages.give(taken[at] as Allocation);
  const moves = pages.compact(9 * PAGE_BYTES, 2 ** 30);
  expect(moves).toMatchObject([{ allocation: taken[1], fromOffset: 4 * PAGE_BYTES, toOffset: 12 * PAGE_BYTES }]);
  expect(pages.largestFreeBytes).toBe(9 * PAGE_BYTES);
});

test("where nothing fits elsewhere, what is between free pages slides down over itself", () => {
  const pages = new Pages();
  pages.addSlab(8 * PAGE_BYTES);
  const [first, second] = [1, 6, 1].map((count) => pages.take(count * PAGE_BYTES, "other") as Allocation);
  for (const allocation of [first, [...pages.allocations()][2]]) pages.give(allocation as Allocation);
  const [move, ...others] = pages.compact(2 * PAGE_BYTES, 2 ** 30);
  expect(move).toMatchObject({ allocation: second, fromOffset: PAGE_BYTES, toOffset: 0, bytes: 6 * PAGE_BYTES });
  expect(others).toEqual([]);
  expect(pages.largestFreeBytes).toBe(2 * PAGE_BYTES);
});
