import fc from "fast-check";
import { expect, test } from "vitest";
import { removalSet } from "../../../src/training/coordinator/reachability.ts";
import { placeShards } from "../../../src/training/coordinator/shard-map.ts";
import { shareSlots } from "../../../src/training/coordinator/slots.ts";

const member = (peer: string, device = peer): { peer: string; device: string; engine: string } => ({
  peer,
  device,
  engine: "e",
});

test("every slot goes to exactly one member, and none to one that does not compute", () => {
  const speeds = fc.array(fc.oneof(fc.constant(0), fc.double({ min: 1e-3, max: 100, noNaN: true })), {
    minLength: 1,
    maxLength: 12,
  });
  fc.assert(
    fc.property(speeds, fc.integer({ min: 1, max: 64 }), (list, slots) => {
      fc.pre(list.some((speed) => speed > 0));
      const shares = shareSlots(slots, list, null);
      expect(shares.flat().sort((a, b) => a - b)).toEqual(Array.from({ length: slots }, (_, slot) => slot));
      list.forEach((speed, rank) => speed > 0 || expect(shares[rank]).toEqual([]));
    }),
    { seed: 1 },
  );
});

test("slots follow speed, a steady member has at least one, and a far slower one none", () => {
  const counts = (speeds: number[]): number[] => shareSlots(8, speeds, null).map((list) => list.length);
  expect(counts([1, 1, 1, 1])).toEqual([2, 2, 2, 2]);
  expect(counts([3, 1])).toEqual([6, 2]);
  expect(counts([4, 4, 0.9, 4])).toEqual([3, 2, 1, 2]);
  expect(counts([4, 4, 0.1])).toEqual([4, 4, 0]);
});

test("a sharing is kept until another is clearly faster", () => {
  const before = shareSlots(8, [1, 1], null);
  expect(shareSlots(8, [1.1, 1], before)).toEqual(before);
  expect(shareSlots(8, [3, 1], before).map((list) => list.length)).toEqual([6, 2]);
});

test("owners' counts differ by one at most, replicas live elsewhere, and owners keep what they have", () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 13 }), (count) => {
      const members = Array.from({ length: count }, (_, rank) => member(`peer-${rank}`));
      const eligible = members.map((_, rank) => rank);
      const holders = Array.from({ length: 120 }, () => []);
      const { owner, replica } = placeShards({ members, eligible, holders });
      const loads = eligible.map((rank) => owner.filter((own) => own === rank).length);
      expect(Math.max(...loads) - Math.min(...loads)).toBeLessThanOrEqual(1);
      if (count > 1) owner.forEach((own, shard) => expect(replica[shard]).not.toBe(own));
      const again = placeShards({
        members,
        eligible,
        holders: owner.map((own, shard) => [own, replica[shard] ?? own]),
      });
      expect(again.owner).toEqual(owner);
    }),
    { seed: 2 },
  );
});

test("when a member leaves, only its own shards move, and to those that have their bytes", () => {
  const members = ["a", "b", "c", "d"].map((peer) => member(peer));
  const first = placeShards({ members, eligible: [0, 1, 2, 3], holders: Array.from({ length: 120 }, () => []) });
  const left = members.slice(0, 3);
  const holders = first.owner.map((own, shard) => [own, first.replica[shard] ?? own].filter((rank) => rank < 3));
  const second = placeShards({ members: left, eligible: [0, 1, 2], holders });
  const moved = second.owner.filter((own, shard) => first.owner[shard] !== own && first.owner[shard] !== 3);
  expect(moved).toEqual([]);
  const fetched = second.owner.filter((own, shard) => !holders[shard]?.includes(own));
  expect(fetched.length).toBeLessThanOrEqual(3);
});

test("a replica prefers another device", () => {
  const members = [member("a", "one"), member("b", "one"), member("c", "two"), member("d", "two")];
  const { owner, replica } = placeShards({
    members,
    eligible: [0, 1, 2, 3],
    holders: Array.from({ length: 120 }, () => []),
  });
  const same = owner.filter((own, shard) => members[own]?.device === members[replica[shard] ?? 0]?.device);
  expect(same.length).toBeLessThanOrEqual(6);
});

test("the smallest set is removed so that no broken pair is left, the newest first", () => {
  expect(removalSet(["a", "b", "c"], [])).toEqual([]);
  expect(removalSet(["a", "b", "c"], [["a", "b"]])).toEqual(["b"]);
  expect(removalSet(["a", "b", "c", "d"], [["a", "b"], ["a", "c"], ["a", "d"]])).toEqual(["a"]); // prettier-ignore
  const many = Array.from({ length: 30 }, (_, index) => `p${String(index).padStart(2, "0")}`);
  const star = many.slice(1).map((peer) => [many[0] ?? "", peer] as const);
  expect(removalSet(many, star)).toEqual(["p00"]);
});
