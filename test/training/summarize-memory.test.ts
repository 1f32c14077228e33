import fc from "fast-check";
import { expect, test } from "vitest";
import { present } from "../../src/base/assert.ts";
import { MEMORY_KINDS, type MemoryKind, type SlabSnapshot } from "../../src/compute/memory/snapshot.ts";
import { CELLS_MAX, decodeCells, type MemorySummary } from "../../src/network/wire/memory-summary.ts";
import { parseClientMessage } from "../../src/network/wire/validate.ts";
import { summarizeMemory } from "../../src/training/summarize-memory.ts";
import { fakeSnapshot } from "../app/support/memories.ts";

const SEED = 20_260_215;

function cellCounts({ slabs }: MemorySummary): number[] {
  return slabs.map((text) => present(decodeCells(text), "cells").length);
}

/** A slab in the notation of the wire. */
function slab(text: string): SlabSnapshot {
  return { pages: present(decodeCells(text), "cells").map((use) => (use === "free" ? null : use)) };
}

test("few pages have a cell each, slab by slab", () => {
  const summary = summarizeMemory(fakeSnapshot([], 1, { slabs: [slab("2p."), slab("3a")] }));
  expect(summary).toMatchObject({ slabs: ["2p.", "3a"], pagesPerCell: 1 });
});

test("of many pages a cell shows what most hold, and free only where nothing holds as many", () => {
  const slabs = [slab("256c"), slab("256c"), slab("3p.g3.2.2o")];
  const summary = summarizeMemory(fakeSnapshot([], 1, { slabs }));
  expect(summary).toMatchObject({ slabs: ["64c", "64c", "p.o"], pagesPerCell: 4 });
});

test("however many slabs and pages, it is about a kilobyte, valid, and has at most 256 cells", () => {
  const kinds = fc.constantFrom(...MEMORY_KINDS, null);
  const slabs = fc.array(fc.array(kinds, { maxLength: 90, size: "max" }), { maxLength: 70, size: "max" });
  fc.assert(
    fc.property(slabs, fc.maxSafeNat(), (some, bytes) => {
      const bytesByKind = Object.fromEntries(MEMORY_KINDS.map((kind) => [kind, bytes])) as Record<MemoryKind, number>;
      const sizes = { takenBytes: bytes, usedBytes: bytes, peakBytes: bytes, budgetBytes: bytes, hostBytes: bytes };
      const changes = { slabs: some.map((list) => ({ pages: list })), bytesByKind, ...sizes };
      const memory = summarizeMemory(fakeSnapshot([], 1, changes));
      const text = JSON.stringify({ kind: "memory", memory });
      expect(parseClientMessage(text)).toEqual({ kind: "memory", memory });
      expect(text.length).toBeLessThanOrEqual(1_024);
      expect(cellCounts(memory).reduce((sum, count) => sum + count, 0)).toBeLessThanOrEqual(CELLS_MAX);
    }),
    { seed: SEED, numRuns: 60 },
  );
});

test("figures have four digits, so that a small change is no news; the budget is told exactly", () => {
  const one = summarizeMemory(fakeSnapshot([64], 1, { requestedBytes: 123_456_789, budgetBytes: 123_456_789 }));
  const two = summarizeMemory(fakeSnapshot([64], 1, { requestedBytes: 123_456_999, budgetBytes: 123_456_789 }));
  expect(one).toEqual(two);
  expect(one).toMatchObject({ requestedBytes: 123_500_000, budgetBytes: 123_456_789, fragmentation: 0.12 });
});
