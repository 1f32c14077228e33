import { expect, test } from "vitest";
import fc from "fast-check";
import { SizeSet } from "../../../src/compute/memory/size-set.ts";

test("the least number of at least n and the greatest are those of a plain set", () => {
  const numbers = fc.oneof(fc.nat(70), fc.nat(40_000));
  const steps = fc.array(fc.record({ size: numbers, isAdded: fc.boolean(), asked: numbers }), { maxLength: 60 });
  fc.assert(
    fc.property(steps, fc.constantFrom(40_000, 40_031, 1_048_576), (list, max) => {
      const sizes = new SizeSet(max);
      const model = new Set<number>();
      for (const { size, isAdded, asked } of list) {
        if (isAdded) sizes.add(size);
        else sizes.remove(size);
        if (isAdded) model.add(size);
        else model.delete(size);
        const fits = [...model].filter((known) => known >= asked);
        expect(sizes.atLeast(asked)).toBe(fits.length > 0 ? Math.min(...fits) : -1);
        expect(sizes.greatest()).toBe(Math.max(-1, ...model));
      }
    }),
    { seed: 10, endOnFailure: true },
  );
});
