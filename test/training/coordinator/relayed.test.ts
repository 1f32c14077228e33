import * as fc from "fast-check";
import { expect, test } from "vitest";
import type { PathKind } from "../../../src/network/transport/transport.ts";
import { relayedPairs, unrelayed } from "../../../src/training/coordinator/relayed.ts";
import { Script } from "./script.ts";

const names = Array.from({ length: 7 }, (_, at) => `p${at}`);
const pairs = fc.uniqueArray(
  fc.tuple(fc.integer({ min: 0, max: 6 }), fc.integer({ min: 0, max: 6 })).filter(([a, b]) => a < b),
  { selector: String, maxLength: 12 },
);
const options = { seed: 21, numRuns: 300 };

test("either side's word makes a pair relayed, once and in order", () => {
  const paths = new Map<string, Record<string, PathKind>>([
    ["b", { a: "relay", c: "webrtc" }],
    ["a", { b: "webrtc" }],
    ["c", { a: "page", stranger: "relay" }],
  ]);
  expect(relayedPairs(["c", "a", "b"], paths)).toEqual([["a", "b"]]);
});

test("owners are at least half of the members, the oldest for choice, and reach one another unless that is impossible", () => {
  fc.assert(
    fc.property(pairs, (list) => {
      const relayed = list.map(([a, b]) => [names[a] as string, names[b] as string] as const);
      const owners = unrelayed(names, relayed);
      expect(2 * owners.length).toBeGreaterThanOrEqual(names.length);
      const among = relayed.filter(([a, b]) => owners.includes(a) && owners.includes(b));
      if (owners.length < names.length) expect(among).toEqual([]);
      if (among.length === 0) return;
      // Nobody is spared only where that would take more than half of them: no half is free of relayed pairs.
      for (let mask = 0; mask < 2 ** names.length; mask++) {
        const some = names.filter((_, at) => mask & (1 << at));
        if (2 * some.length < names.length) continue;
        expect(relayed.some(([a, b]) => some.includes(a) && some.includes(b))).toBe(true);
      }
    }),
    options,
  );
});

/** Four members in an epoch at step 1. */
function four(): Script {
  const script = new Script({ startWith: 4 });
  for (const peer of ["a", "b", "c", "d"]) script.join(peer);
  for (const peer of ["a", "b", "c", "d"]) script.ready(peer, 0);
  return script;
}

function owners(script: Script): string[] {
  return [...new Set(script.state.epoch?.map.owner.map((rank) => script.members[rank] ?? ""))].sort();
}

test("a relayed member holds no shards from the epoch after its first step on, trains all the same, and is asked once", () => {
  const script = four();
  expect(owners(script)).toEqual(["a", "b", "c", "d"]);
  const relay = { a: "relay", b: "relay", c: "relay" } as const;
  for (const peer of ["a", "b", "c"]) script.vote(peer, { paths: { d: "relay" } });
  script.vote("d", { paths: relay });
  expect(script.committedStep).toBe(1);
  const epochBefore = script.state.durable.epoch;
  for (const peer of script.members) script.ready(peer, 1);
  expect(script.state.durable.epoch).toBe(epochBefore); // It was announced at the commit already.
  expect(script.members).toEqual(["a", "b", "c", "d"]);
  expect(owners(script)).toEqual(["a", "b", "c"]);
  expect(script.state.epoch?.map.replica).not.toContain(3);
  expect(script.state.epoch?.slots?.[3]?.length).toBeGreaterThan(0);
  for (const peer of ["a", "b", "c"]) script.vote(peer, { paths: { d: "relay" } });
  script.vote("d", { paths: relay });
  expect(script.committedStep).toBe(2);
  expect(script.state.durable.epoch).toBe(epochBefore);
  expect(script.lines("abort")).toEqual([]);
});

test("where everybody is relayed to everybody, all own shards as before", () => {
  const script = four();
  const epochBefore = script.state.durable.epoch;
  for (const peer of script.members) {
    script.vote(peer, { paths: { a: "relay", b: "relay", c: "relay", d: "relay" } });
  }
  expect(script.committedStep).toBe(1);
  expect(script.state.durable.epoch).toBe(epochBefore);
  expect(owners(script)).toEqual(["a", "b", "c", "d"]);
});
