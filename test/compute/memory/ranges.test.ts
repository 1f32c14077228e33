import { expect, test } from "vitest";
import fc from "fast-check";
import { InvariantError } from "../../../src/base/errors.ts";
import { Ranges } from "../../../src/compute/memory/ranges.ts";

test("taken ranges never overlap, and all that is given back is one range again", () => {
  const sizes = fc.array(fc.record({ size: fc.integer({ min: 1, max: 40 }), isGiven: fc.boolean() }), {
    maxLength: 80,
  });
  fc.assert(
    fc.property(sizes, fc.nat(1000), (steps, seed) => {
      const ranges = new Ranges(400);
      const taken: { start: number; size: number }[] = [];
      for (const [i, { size, isGiven }] of steps.entries()) {
        const start = ranges.take(size);
        if (start !== undefined) {
          for (const other of taken) {
            expect(start + size <= other.start || other.start + other.size <= start).toBe(true);
          }
          expect(start + size).toBeLessThanOrEqual(400);
          taken.push({ start, size });
        }
        if (isGiven && taken.length > 0) {
          const [range] = taken.splice((seed + i) % taken.length, 1);
          if (range !== undefined) ranges.give(range.start, range.size);
        }
        expect(ranges.freeSize).toBe(400 - taken.reduce((sum, range) => sum + range.size, 0));
      }
      for (const { start, size } of taken) ranges.give(start, size);
      expect(ranges.isAllFree).toBe(true);
      expect(ranges.take(400)).toBe(0);
    }),
    { seed: 11 },
  );
});

test("the smallest range that is large enough is taken", () => {
  const ranges = new Ranges(100);
  for (const size of [10, 5, 20, 5, 60]) ranges.take(size);
  ranges.give(0, 10);
  ranges.give(15, 20);
  expect(ranges.take(8)).toBe(0);
  expect(ranges.take(15)).toBe(15);
  expect(ranges.take(6)).toBe(undefined);
});

test("what is not taken cannot be given back", () => {
  const ranges = new Ranges(100);
  ranges.take(50);
  expect(() => ranges.give(40, 20)).toThrow(InvariantError);
  expect(() => ranges.give(90, 20)).toThrow(InvariantError);
});
