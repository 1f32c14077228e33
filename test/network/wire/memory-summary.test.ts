import fc from "fast-check";
import { expect, test } from "vitest";
import { CELLS_MAX, USED_FOR, decodeCells, encodeCells } from "../../../src/network/wire/memory-summary.ts";

const SEED = 20_260_214;
const cells = fc.array(fc.constantFrom(...USED_FOR, "free" as const), { maxLength: CELLS_MAX });

test("cells come back from their text, which is never longer than they are many", () => {
  fc.assert(
    fc.property(cells, (some) => {
      const text = encodeCells(some);
      expect(decodeCells(text)).toEqual(some);
      expect(text.length).toBeLessThanOrEqual(some.length);
    }),
    { seed: SEED },
  );
});

test("runs are counted, and single cells are letters alone", () => {
  expect(encodeCells(["parameters", "parameters", "free", "cache", "cache", "cache"])).toBe("2p.3c");
  expect(encodeCells([])).toBe("");
});

test.each(["q", "0p", "01p", "3", "p3", "1000p", "257p", "200p57g", "2p ", "-1p", "<b>"])(
  "%j is the text of no slab",
  (text) => expect(decodeCells(text)).toBeNull(),
);

test("as many cells as there may be are a slab's", () => {
  expect(decodeCells(`${CELLS_MAX}p`)).toHaveLength(CELLS_MAX);
});
