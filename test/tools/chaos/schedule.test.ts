import { expect, test } from "vitest";
import { CHAOS_KINDS, planChaos, type ChaosKind } from "../../../tools/chaos/schedule.ts";

const KINDS = Object.keys(CHAOS_KINDS) as ChaosKind[];
const FOUR_MINUTES = { seed: 1, kinds: KINDS, everyMs: 15_000, durationMs: 240_000 };

test("a schedule is a function of its seed", () => {
  expect(planChaos(FOUR_MINUTES)).toEqual(planChaos(FOUR_MINUTES));
  expect(planChaos({ ...FOUR_MINUTES, seed: 2 })).not.toEqual(planChaos(FOUR_MINUTES));
});

test("faults come one an interval, give or take a fifth, and none after the run's time", () => {
  for (let seed = 0; seed < 50; seed++) {
    const faults = planChaos({ ...FOUR_MINUTES, seed });
    expect(faults.length, `seed ${seed}`).toBeGreaterThanOrEqual(15);
    for (const [at, { atMs }] of faults.entries()) {
      expect(Math.abs(atMs - 15_000 * (at + 1)), `seed ${seed}`).toBeLessThanOrEqual(3_000);
      expect(atMs, `seed ${seed}`).toBeLessThan(240_000);
    }
  }
});

test("every kind comes once before one comes again", () => {
  const kinds = planChaos({ ...FOUR_MINUTES, durationMs: 3_000_000 }).map(({ kind }) => kind);
  for (let deck = 0; deck + KINDS.length <= kinds.length; deck += KINDS.length) {
    expect(kinds.slice(deck, deck + KINDS.length).sort()).toEqual([...KINDS].sort());
  }
});

test("freezes and cuts last shorter or longer than a member may be silent, and some who come back are newcomers", () => {
  const faults = planChaos({ ...FOUR_MINUTES, durationMs: 3_000_000 });
  const lasts = (kind: ChaosKind): number[] =>
    faults.filter((fault) => fault.kind === kind).map((fault) => fault.lastsMs);
  for (const kind of ["freeze", "cut"] as const) {
    expect(Math.max(...lasts(kind))).toBeLessThan(6_000);
    expect(Math.min(...lasts(`${kind}-long`))).toBeGreaterThan(6_000);
  }
  const removed = faults.filter(({ kind }) => kind === "kill" || kind === "leave");
  expect(new Set(removed.map(({ isNewcomer }) => isNewcomer))).toEqual(new Set([true, false]));
});

test("kinds that are left out never strike", () => {
  const faults = planChaos({ ...FOUR_MINUTES, kinds: ["cut", "kill"] });
  expect(new Set(faults.map(({ kind }) => kind))).toEqual(new Set(["cut", "kill"]));
});
