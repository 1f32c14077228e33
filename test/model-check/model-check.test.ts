/** The commit protocol explored within small bounds; `npm run model-check` takes the large ones. */
import { expect, test } from "vitest";
import { explore, follow, wander, type ExploreOptions } from "../../tools/model-check/explore.ts";

const NONE = { kills: 0, suspends: 0, restarts: 0, timeouts: 0 };
const BASIS: ExploreOptions = {
  hasDigest: true,
  budget: NONE,
  steps: 2,
  epochsMax: 4,
  statesMax: 1_000_000,
  order: "depth",
};

/** A laptop votes, sleeps through the abort, and wakes when the others have committed the step by other bytes. */
const SLEEPING_LAPTOP = [
  ...["epoch reaches a", "epoch reaches b", "epoch reaches c", "a syncs", "b syncs", "c syncs"],
  ...["ready of a arrives", "ready of b arrives", "ready of c arrives"],
  ...["plan reaches a", "plan reaches b", "plan reaches c"],
  ...["c votes", "c falls asleep", "every deadline passes"],
  ...["a notices that its socket is gone", "a connects"],
  ...["epoch reaches a", "a syncs", "ready of a arrives", "plan reaches a", "a votes"],
  ...["c wakes", "c notices that its socket is gone", "c connects"],
  ...["vote of a arrives", "epoch reaches c", "c syncs"],
];

test("without faults and with one member killed, every state that can be reached is as it must be", () => {
  expect(explore(BASIS)).toMatchObject({ isComplete: true, violation: null });
  const killed = explore({ ...BASIS, budget: { ...NONE, kills: 1 } });
  expect(killed).toMatchObject({ isComplete: true, violation: null });
  expect(killed.states).toBeGreaterThan(10_000);
}, 300_000);

test("random ways with sleep, kills, restarts and timeouts end nowhere wrong", () => {
  const budget = { kills: 1, suspends: 2, restarts: 1, timeouts: 2 };
  expect(wander({ ...BASIS, budget, steps: 3, epochsMax: 8 }, 60, 7).violation).toBeNull();
}, 300_000);

test("a laptop that sleeps through an abort: its old bytes have other hashes", () => {
  const options = { ...BASIS, budget: { ...NONE, suspends: 1, timeouts: 1 }, epochsMax: 9 };
  expect(follow(options, SLEEPING_LAPTOP)).toBeNull();
  expect(follow({ ...options, hasDigest: false }, SLEEPING_LAPTOP)).toBe("c holds 1@1.1 where 1@1.2 was committed");
});
