import { expect, test } from "vitest";
import { Seats, type SeatFacts } from "../../../tools/chaos/seats.ts";

const TRAINING: SeatFacts = { isLive: true, phase: "training" };

test("no more than half of the tabs are troubled at once", () => {
  for (const [tabs, troubled] of [
    [2, 1],
    [3, 1],
    [8, 4],
  ] as const) {
    const seats = new Seats(tabs);
    const picked = Array.from({ length: tabs }, () => {
      const tab = seats.pick(0);
      if (tab !== null) seats.trouble(tab, 1_000);
      return tab;
    });
    expect(picked.filter((tab) => tab !== null)).toEqual(Array.from({ length: troubled }, (_, tab) => tab));
    expect(seats.healthy).toHaveLength(tabs - troubled);
  }
});

test("any healthy tab can be picked, and no troubled one", () => {
  const seats = new Seats(4);
  seats.trouble(1, 1_000);
  expect([0, 0.34, 0.67, 0.999].map((fraction) => seats.pick(fraction))).toEqual([0, 2, 3, 3]);
});

test("a tab is well again once it was seen training twice after its fault", () => {
  const seats = new Seats(2);
  seats.trouble(0, 1_000);
  seats.look(() => TRAINING, 900); // What it said before the fault was over.
  seats.look(() => TRAINING, 1_100);
  expect(seats.healthy).toEqual([1]);
  seats.look(() => ({ isLive: true, phase: "syncing" }), 1_200);
  seats.look(() => TRAINING, 1_300);
  expect(seats.healthy).toEqual([1]);
  seats.look(() => TRAINING, 1_400);
  expect(seats.healthy).toEqual([0, 1]);
});

test("a place that was left is well when the tab that came instead trains", () => {
  const seats = new Seats(2);
  seats.trouble(0, 0);
  const factsOf = (tab: number): SeatFacts => (tab === 0 ? { isLive: false, phase: "training" } : TRAINING);
  for (const nowMs of [1, 2, 3]) seats.look(factsOf, nowMs);
  expect(seats.healthy).toEqual([1]);
  seats.replace(0, 7);
  for (const nowMs of [4, 5]) seats.look(factsOf, nowMs);
  expect(seats.healthy).toEqual([7, 1]);
});
