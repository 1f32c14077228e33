/** Sums over slots have the same bits however slots are shared out, and come in as few blocks as there can be. */
import fc from "fast-check";
import { expect, test } from "vitest";
import { shareSlots } from "../../../src/training/coordinator/slots.ts";
import {
  BlockSums,
  joinBlocks,
  slotBlocks,
  totalOf,
  type BlockSum,
} from "../../../src/training/parallel/data/slot-tree.ts";

const SEED = 20_261_130;
const COUNT = 40;

/** Values of many magnitudes, whose sum depends on its order. */
function gradientOf(slot: number): Float32Array<ArrayBuffer> {
  return Float32Array.from({ length: COUNT }, (_, at) => Math.sin(97 * slot + 13 * at) * 10 ** ((slot * 7 + at) % 9));
}

/** A member's sums, its last slot in pieces. */
function sumsOf(slots: readonly number[], cut: number): readonly BlockSum[] {
  const own = new BlockSums(COUNT);
  for (const [at, slot] of slots.entries()) {
    const add = own.open(slot, 1 / 3);
    const pieces = at === slots.length - 1 ? [[cut, COUNT] as const, [0, cut] as const] : [[0, COUNT] as const];
    for (const [from, to] of pieces) add(gradientOf(slot), from, to);
  }
  return own.sums;
}

const bits = (values: Float32Array | null): string =>
  Buffer.from(new Uint8Array(values?.slice().buffer ?? [])).toString("hex");

test("the total has the same bits whoever has which slots", () => {
  const sharing = fc
    .integer({ min: 1, max: 40 })
    .chain((slots) => fc.array(fc.integer({ min: 0, max: 5 }), { minLength: slots, maxLength: slots }));
  fc.assert(
    fc.property(sharing, fc.integer({ min: 0, max: COUNT }), (ranks, cut) => {
      const whole = totalOf(sumsOf([...ranks.keys()], cut));
      const shares = Array.from({ length: 6 }, (_, rank) => ranks.flatMap((of, slot) => (of === rank ? [slot] : [])));
      const sums = shares.map((own) => sumsOf(own, cut));
      for (const [rank, own] of shares.entries())
        expect(sums[rank]?.map(({ from, size }) => ({ from, size }))).toEqual(slotBlocks(own));
      // Owners are told of ranks in any order.
      expect(bits(totalOf(sums.reverse().flat()))).toBe(bits(whole));
    }),
    { seed: SEED, numRuns: 300 },
  );
});

test("a late member's slots join those of who computes them too", () => {
  const joined = joinBlocks([...sumsOf([4, 5], 3), ...sumsOf([6, 7], 9)]);
  expect(joined.map(({ from, size }) => [from, size])).toEqual([[4, 4]]);
  expect(totalOf([])).toBeNull();
});

test("a share is as many blocks as it has ones in binary", () => {
  const speeds = fc.array(fc.double({ min: 0.1, max: 10, noNaN: true }), { minLength: 1, maxLength: 12 });
  fc.assert(
    fc.property(speeds, fc.integer({ min: 1, max: 64 }), (list, slots) => {
      for (const share of shareSlots(slots, list, null)) {
        const ones = [...share.length.toString(2)].filter((digit) => digit === "1").length;
        expect(slotBlocks(share)).toHaveLength(ones);
      }
    }),
    { seed: SEED, numRuns: 300 },
  );
});
