import { expect, test } from "vitest";
import fc from "fast-check";
import { planPlacement, type Lifetime } from "../../../src/compute/memory/placement.ts";

const lifetimes = fc.array(
  fc
    .record({ bytes: fc.integer({ min: 1, max: 99 }), first: fc.nat(30), length: fc.nat(9) })
    .map(({ bytes, first, length }): Lifetime => ({ bytes, first, last: first + length })),
  { maxLength: 40 },
);

test("values that live at the same time never share a slot, and every value fits its slot", () => {
  fc.assert(
    fc.property(lifetimes, (values) => {
      const { slots, slotBytes } = planPlacement(values);
      for (const [i, a] of values.entries()) {
        expect(slotBytes[slots[i] ?? -1]).toBeGreaterThanOrEqual(a.bytes);
        for (const [j, b] of values.entries()) {
          if (i < j && slots[i] === slots[j]) expect(a.last < b.first || b.last < a.first).toBe(true);
        }
      }
    }),
    { seed: 7 },
  );
});

test("a chain in which each value is read by the next takes two slots", () => {
  const chain = Array.from({ length: 20 }, (_, step) => ({ bytes: 100, first: step, last: step + 1 }));
  expect(planPlacement(chain).slotBytes).toEqual([100, 100]);
});

test("small values go to the tightest slot that is free", () => {
  const { slots, slotBytes } = planPlacement([
    { bytes: 1000, first: 0, last: 1 },
    { bytes: 50, first: 0, last: 1 },
    { bytes: 40, first: 2, last: 3 },
  ]);
  expect(slotBytes).toEqual([1000, 50]);
  expect(slots).toEqual([0, 1, 1]);
});
