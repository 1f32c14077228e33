import { expect, test } from "vitest";
import { chooseScheme, lossChanceOf } from "../../../src/training/coordinator/durability.ts";

const LOW = { leavesPerHour: 0.02, repairHours: 0.1 };
const HIGH = { leavesPerHour: 1, repairHours: 0.1 };
const TARGET = { lossChanceMax: 1e-4, copiesMax: 3, shards: 120 };

test("few leave: copies; many leave: any k of n; the chance of loss is under the target and is the binomial one", () => {
  const calm = chooseScheme(6, LOW, TARGET);
  expect(calm.scheme).toEqual({ dataChunks: 1, chunks: 3 });
  const wild = chooseScheme(12, HIGH, TARGET);
  expect(wild.scheme.dataChunks).toBeGreaterThan(1);
  for (const choice of [calm, wild]) expect(choice.lossChance).toBeLessThan(TARGET.lossChanceMax);
  // Two of three gone, or all: 3 p^2 (1 - p) + p^3.
  expect(lossChanceOf({ dataChunks: 2, chunks: 3 }, 0.1)).toBeCloseTo(3 * 0.01 * 0.9 + 0.001, 12);
  expect(chooseScheme(2, { leavesPerHour: 9, repairHours: 1 }, TARGET).reason).toContain("more devices");
});
