import { expect, test } from "vitest";
import fc from "fast-check";
import { planPlacement, type Lifetime } from "../../../src/compute/memory/placement.ts";
import { randomIntervals, randomTraining } from "./random-lifetimes.ts";

const lifetimes = fc.array(
  fc
    .record({ bytes: fc.integer({ min: 1, max: 99 }), first: fc.nat(30), length: fc.nat(9) })
    .map(({ bytes, first, length }): Lifetime => ({ bytes, first, last: first + length })),
  { maxLength: 40 },
);

test("values that live at the same time never overlap, are aligned, and fit their block", () => {
  fc.assert(
    fc.property(lifetimes, fc.constantFrom(1, 16), fc.constantFrom(128, 1e6), (values, alignment, blockBytesMax) => {
      const { places, blockBytes, boundBytes } = planPlacement(values, alignment, blockBytesMax);
      for (const bytes of blockBytes) expect(bytes).toBeLessThanOrEqual(blockBytesMax);
      for (const [i, a] of values.entries()) {
        const { block = -1, offset = -1 } = places[i] ?? {};
        expect(offset % alignment).toBe(0);
        expect(offset + a.bytes).toBeLessThanOrEqual(blockBytes[block] ?? 0);
        for (const [j, b] of values.entries()) {
          const other = places[j];
          if (i >= j || other?.block !== block || a.last < b.first || b.last < a.first) continue;
          expect(offset + a.bytes <= other.offset || other.offset + b.bytes <= offset).toBe(true);
        }
      }
      expect(blockBytes.reduce((sum, bytes) => sum + bytes, 0)).toBeGreaterThanOrEqual(boundBytes);
    }),
    { seed: 7, numRuns: 40, endOnFailure: true },
  );
});

test("a chain in which each value is read by the next takes two values' memory, which is the least", () => {
  const chain = Array.from({ length: 20 }, (_, step) => ({ bytes: 100, first: step, last: step + 1 }));
  expect(planPlacement(chain, 1, 1e6)).toMatchObject({ blockBytes: [200], boundBytes: 200 });
});

test("small values go to the tightest gap that is free", () => {
  const { places, blockBytes } = planPlacement(
    [
      { bytes: 1000, first: 0, last: 1 },
      { bytes: 50, first: 0, last: 1 },
      { bytes: 40, first: 2, last: 3 },
      { bytes: 30, first: 1, last: 3 },
    ],
    1,
    1e6,
  );
  expect(blockBytes).toEqual([1080]);
  expect(places.map(({ offset }) => offset)).toEqual([0, 1000, 0, 1050]);
});

test("a value larger than a block gets one of its own", () => {
  const values = [400, 100, 90].map((bytes) => ({ bytes, first: 0, last: 0 }));
  expect(planPlacement(values, 1, 200).blockBytes).toEqual([400, 190]);
});

/** Of each graph, the memory of its placement as a multiple of the least that any could take, in order. */
function ratiosOf(graphs: readonly Lifetime[][]): number[] {
  const ratios = graphs.map((values) => {
    const { blockBytes, boundBytes } = planPlacement(values, 256, Infinity);
    return blockBytes.reduce((sum, bytes) => sum + bytes, 0) / boundBytes;
  });
  return ratios.sort((a, b) => a - b);
}

for (const [name, graphOf] of [
  ["training steps", randomTraining],
  ["intervals", randomIntervals],
] as const) {
  test(`500 random ${name} take 1.05 of the least memory at the 95th percentile, and 1.15 at most`, () => {
    const ratios = ratiosOf(Array.from({ length: 500 }, (_, seed) => graphOf(seed)));
    expect(ratios[474]).toBeLessThanOrEqual(1.05);
    expect(ratios[499]).toBeLessThanOrEqual(1.15);
  }, 120_000);
}

test("the same lifetimes get the same places", () => {
  for (let seed = 0; seed < 5; seed++) {
    const values = randomIntervals(seed);
    expect(planPlacement(values, 256, 2 ** 22)).toEqual(planPlacement(structuredClone(values), 256, 2 ** 22));
  }
});

test("no values take no memory", () => {
  expect(planPlacement([], 256, 1024)).toEqual({ places: [], blockBytes: [], boundBytes: 0 });
});
