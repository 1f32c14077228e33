/** What pages promise: live ranges never overlap, all comes together again, the same calls give the same places. */
import { expect, test } from "vitest";
import fc from "fast-check";
import { PAGE_BYTES, Pages, type Allocation } from "../../../src/compute/memory/pages.ts";
import { MEMORY_KINDS, type MemoryKind } from "../../../src/compute/memory/snapshot.ts";
import { checkPlaces } from "./pages-model.ts";

const SLAB_PAGES = 32;
const sizes = fc.oneof(fc.nat(2000), fc.nat(PAGE_BYTES + 300), fc.nat(9 * PAGE_BYTES));
const kinds = fc.constantFrom<MemoryKind[]>("parameters", "activations", "other");
/** Takes, and gives of what is there. */
const actions = fc.array(
  fc.oneof(
    fc.record({ bytes: sizes, kind: kinds }),
    fc.record({ which: fc.nat(), bytes: fc.constant(-1), kind: kinds }),
  ),
  { maxLength: 120 },
);
type Action = { readonly bytes: number; readonly kind: MemoryKind; readonly which?: number };

function play(pages: Pages, list: readonly Action[]): Set<Allocation> {
  const live = new Set<Allocation>();
  for (const { bytes, kind, which } of list) {
    if (which === undefined) {
      const allocation = pages.take(bytes, kind);
      if (allocation === undefined) expect(pages.largestFreeBytes).toBeLessThan(Math.max(1, bytes));
      else live.add(allocation);
      continue;
    }
    const [given] = [...live].slice(which % Math.max(1, live.size));
    if (given === undefined) continue;
    pages.give(given);
    live.delete(given);
  }
  return live;
}

function withSlabs(count: number): Pages {
  const pages = new Pages();
  for (let slab = 0; slab < count; slab++) pages.addSlab(SLAB_PAGES * PAGE_BYTES);
  return pages;
}

test("live ranges never overlap, lie within their slabs, and share pages with their own kind alone", () => {
  fc.assert(
    fc.property(actions, (list) => {
      const pages = withSlabs(3);
      checkPlaces(pages, play(pages, list));
    }),
    { seed: 21, numRuns: 150, endOnFailure: true },
  );
});

test("freeing all leaves one run a slab", () => {
  fc.assert(
    fc.property(actions, fc.boolean(), (list, isReversed) => {
      const pages = withSlabs(3);
      const live = [...play(pages, list)];
      for (const allocation of isReversed ? live.reverse() : live) pages.give(allocation);
      expect(pages).toMatchObject({ usedBytes: 0, requestedBytes: 0, fragmentation: 0 });
      for (const { id, bytes, freeBytes } of pages.slabs()) {
        expect(freeBytes).toBe(bytes);
        expect(pages.isSlabEmpty(id)).toBe(true);
        pages.removeSlab(id);
      }
      expect(pages.freeBytes).toBe(0);
    }),
    { seed: 22, numRuns: 100, endOnFailure: true },
  );
});

test("the same calls give the same places", () => {
  const placesOf = (list: readonly Action[]): unknown => {
    const pages = withSlabs(3);
    return [...play(pages, list)].map(({ slab, offset, sizeBytes }) => ({ slab, offset, sizeBytes }));
  };
  fc.assert(
    fc.property(actions, (list) => {
      expect(placesOf(list)).toEqual(placesOf(list));
    }),
    { seed: 23, numRuns: 50, endOnFailure: true },
  );
});

test("small arrays share a page in granules, and larger ones get whole pages", () => {
  const pages = withSlabs(1);
  const taken = [0, 4, 257, 16_128, 16_129, 16_385].map((bytes) => pages.take(bytes, "other"));
  expect(taken.map((allocation) => allocation?.sizeBytes)).toEqual([256, 256, 512, 16_128, 16_384, 32_768]);
  expect(taken.map((allocation) => allocation?.offset)).toEqual([0, 256, 512, 16_384, 32_768, 49_152]);
  expect(pages).toMatchObject({ usedBytes: 5 * PAGE_BYTES, freeBytes: 27 * PAGE_BYTES });
});

test("a snapshot says what each page holds, as allocations are labelled at the time", () => {
  const pages = withSlabs(1);
  const small = pages.take(100, "other");
  pages.take(100, "activations");
  pages.take(2 * PAGE_BYTES, "parameters");
  if (small) small.kind = "gradients";
  const { slabs, bytesByKind } = pages.snapshot();
  expect(slabs[0]?.pages.slice(0, 5)).toEqual(["gradients", "activations", "parameters", "parameters", null]);
  expect(slabs[0]?.pages).toHaveLength(SLAB_PAGES);
  expect(Object.keys(bytesByKind)).toEqual([...MEMORY_KINDS]);
  expect(bytesByKind).toMatchObject({ gradients: PAGE_BYTES, parameters: 2 * PAGE_BYTES, other: 0 });
});

test("fragmentation is the part of the free pages that is not in the longest run of its slab", () => {
  const pages = withSlabs(1);
  const taken = Array.from({ length: 4 }, () => pages.take(8 * PAGE_BYTES, "other"));
  for (const at of [0, 2]) pages.give(taken[at] as Allocation);
  expect(pages).toMatchObject({ fragmentation: 0.5, largestFreeBytes: 8 * PAGE_BYTES });
});

test("what is given twice or is another's is refused, and so is removing a slab that is in use", () => {
  const [pages, others] = [withSlabs(1), withSlabs(1)];
  const [small, large] = [pages.take(8, "other"), pages.take(99_999, "other")] as [Allocation, Allocation];
  expect(() => pages.removeSlab(0)).toThrow("to be free");
  expect(() => others.give(small)).toThrow("found another's");
  expect(() => others.give(large)).toThrow("found one of 99999 bytes");
  for (const allocation of [small, large]) {
    pages.give(allocation);
    expect(() => pages.give(allocation)).toThrow("given back");
  }
  expect(() => pages.addSlab(1000)).toThrow("expected bytes in whole pages, found 1000");
  expect(() => pages.take(-1, "other")).toThrow("found -1");
});
