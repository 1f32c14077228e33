import * as fc from "fast-check";
import { expect, test } from "vitest";
import {
  RESTART_LIMITS as LIMITS,
  type RestartEffect,
  type RestartEvent,
  restartStep,
  type RestartState,
  STEADY,
} from "../../../../src/network/transport/webrtc/ice-restart.ts";

const ice = (state: RTCIceConnectionState): RestartEvent => ({ kind: "ice", state });

/** What happens, ticks included, until `untilMs`: [time, effect]. */
function play(
  events: readonly (readonly [number, RestartEvent])[],
  untilMs: number,
  isOfferer: boolean = true,
): { readonly happened: [number, RestartEffect][]; readonly state: RestartState } {
  const happened: [number, RestartEffect][] = [];
  let state = STEADY;
  let wakeAtMs = Infinity;
  const feed = (event: RestartEvent, nowMs: number): void => {
    const step = restartStep(state, event, nowMs, isOfferer, LIMITS);
    ({ state, wakeAtMs } = step);
    for (const effect of step.effects) happened.push([nowMs, effect]);
  };
  for (const [atMs, event] of [...events, [untilMs, { kind: "tick" }] as const]) {
    while (wakeAtMs < atMs) feed({ kind: "tick" }, wakeAtMs);
    feed(event, atMs);
  }
  return { happened, state };
}

test("a silent path gets a moment to come back, then an offer every few seconds, and is given up at the deadline", () => {
  const { happened } = play([[1_000, ice("disconnected")]], 100_000);
  const offers = [2_500, 6_500, 10_500, 14_500, 18_500, 22_500, 26_500, 30_500].map((ms) => [ms, "offer"]);
  expect(happened).toEqual([...offers, [31_000, "give-up"]]);
});

test("a path that comes back by itself costs nothing, and a failed one is not waited for", () => {
  expect(
    play(
      [
        [0, ice("disconnected")],
        [1_400, ice("connected")],
      ],
      60_000,
    ).happened,
  ).toEqual([]);
  expect(
    play(
      [
        [0, ice("failed")],
        [500, ice("checking")],
        [900, ice("connected")],
      ],
      60_000,
    ).happened,
  ).toEqual([[0, "offer"]]);
});

test("whose id sorts last asks, and the other one offers, once for both", () => {
  expect(
    play(
      [
        [0, ice("failed")],
        [100, ice("connected")],
      ],
      60_000,
      false,
    ).happened,
  ).toEqual([[0, "ask"]]);
  expect(
    play(
      [
        [0, { kind: "asked" }],
        [300, { kind: "asked" }],
        [400, ice("connected")],
      ],
      60_000,
    ).happened,
  ).toEqual([[0, "offer"]]);
  expect(
    play(
      [
        [0, ice("failed")],
        [50, { kind: "asked" }],
        [400, ice("connected")],
      ],
      60_000,
    ).happened,
  ).toEqual([[0, "offer"]]);
  expect(play([[0, { kind: "asked" }]], 60_000, false).happened).toEqual([]);
});

test("whatever happens: attempts keep their distance, a break is mended or given up in time, and once", () => {
  const event = fc.oneof(
    fc.constantFrom<RTCIceConnectionState>("checking", "connected", "completed", "disconnected", "failed").map(ice),
    fc.constant<RestartEvent>({ kind: "asked" }),
    fc.constant<RestartEvent>({ kind: "tick" }),
  );
  const events = fc.array(fc.tuple(fc.integer({ min: 0, max: 9_000 }), event), { maxLength: 40 });
  fc.assert(
    fc.property(events, fc.boolean(), (list, isOfferer) => {
      let nowMs = 0;
      const timed = list.map(([afterMs, one]) => [(nowMs += afterMs), one] as const);
      const { happened, state } = play(timed, nowMs + 2 * LIMITS.deadlineMs, isOfferer);
      const attempts = happened.filter(([, effect]) => effect !== "give-up").map(([ms]) => ms);
      attempts.slice(1).forEach((ms, at) => expect(ms - (attempts[at] ?? 0)).toBeGreaterThanOrEqual(LIMITS.retryMs));
      expect(happened.every(([, effect]) => effect !== (isOfferer ? "ask" : "offer"))).toBe(true);
      const ends = happened.filter(([, effect]) => effect === "give-up");
      expect(ends.length).toBe(state.hasGivenUp ? 1 : 0);
      // Long after the last event nothing is left undone: good, or given up.
      expect(state.hasGivenUp || state.brokenAtMs === null).toBe(true);
      if (ends.length === 1) expect(happened.at(-1)?.[1]).toBe("give-up");
      const breaks = timed.filter(([, one]) => one.kind === "ice" && /disconnected|failed/.test(one.state));
      if (breaks.length === 0) expect(ends).toEqual([]);
      for (const [ms] of ends) expect(ms).toBeGreaterThanOrEqual((breaks[0]?.[0] ?? Infinity) + LIMITS.deadlineMs);
    }),
    { seed: 22, numRuns: 500 },
  );
});
