import { expect, test } from "vitest";
import { chooseScheme } from "../../../src/training/coordinator/durability.ts";
import { leavesPerHour } from "../../../src/training/coordinator/churn.ts";
import { initialState, type State } from "../../../src/training/coordinator/state.ts";

const HOUR_MS = 3_600_000;

function seen(devices: number, hours: number): State {
  const names = new Set(Array.from({ length: devices }, (_, at) => `device-${at}`));
  return { ...initialState(), presence: { devices: names, deviceMs: hours * HOUR_MS, countedAtMs: 0 } };
}

test("the rate is departures for good an hour of a device, and a guess where little was seen", () => {
  expect(leavesPerHour(seen(0, 0))).toBeCloseTo(0.1, 6);
  expect(leavesPerHour(seen(20, 9))).toBeCloseTo(20.1 / 10, 6);
});

test("more departures make more redundancy, and the chance of loss stays under the target where devices suffice", () => {
  const target = { lossChanceMax: 1e-4, copiesMax: 3, shards: 120 };
  const rates = [0.1, 1, 4, 10];
  const choices = rates.map((rate) => chooseScheme(12, { leavesPerHour: rate, repairHours: 1 / 60 }, target));
  const losses = choices.map(({ scheme }) => scheme.chunks - scheme.dataChunks);
  expect(losses).toEqual(losses.toSorted((a, b) => a - b));
  expect(choices[0]?.scheme).toEqual({ dataChunks: 1, chunks: 3 });
  expect(choices.at(-1)?.scheme.dataChunks).toBeGreaterThan(1);
  for (const { lossChance } of choices) expect(lossChance).toBeLessThanOrEqual(1e-4);
});
