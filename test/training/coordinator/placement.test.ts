import { expect, test } from "vitest";
import * as fc from "fast-check";
import { placeCheckpoint, placeCopies } from "../../../src/training/coordinator/placement.ts";
import type { CheckpointPlacement } from "../../../src/training/coordinator/placement.ts";

/** Members on devices, each shard owned by one and replicated by another where there is one. */
const placements: fc.Arbitrary<CheckpointPlacement> = fc
  .array(fc.integer({ min: 0, max: 7 }), { minLength: 1, maxLength: 12 })
  .chain((devices) => {
    const rank = fc.integer({ min: 0, max: devices.length - 1 });
    return fc.array(fc.tuple(rank, rank), { minLength: 1, maxLength: 40 }).map((pairs) => ({
      owner: pairs.map(([owner]) => owner),
      replica: pairs.map(([, replica]) => replica),
      devices: devices.map((device) => `device-${device}`),
    }));
  });

const options = { seed: 20, numRuns: 300 };

test("every shard is written on three devices, or on all where there are fewer, once on each", () => {
  fc.assert(
    fc.property(placements, (input) => {
      const count = Math.min(3, new Set(input.devices).size);
      for (const ranks of placeCopies(input, 3)) {
        expect(ranks).toHaveLength(count);
        expect(new Set(ranks.map((rank) => input.devices[rank])).size).toBe(count);
      }
    }),
    options,
  );
});

test("the owner writes every shard it owns, and the replica too unless it is on the owner's device", () => {
  fc.assert(
    fc.property(placements, (input) => {
      placeCopies(input, 3).forEach((ranks, shard) => {
        const [owner, replica] = [input.owner[shard] ?? -1, input.replica[shard] ?? -1];
        expect(ranks[0]).toBe(owner);
        if (input.devices[replica] !== input.devices[owner]) expect(ranks[1]).toBe(replica);
      });
    }),
    options,
  );
});

test("any devices but two hold all shards", () => {
  fc.assert(
    fc.property(placements, fc.nat(), fc.nat(), (input, a, b) => {
      const devices = [...new Set(input.devices)];
      const lost = new Set([devices[a % devices.length], devices[b % devices.length]]);
      if (devices.length < 3) return;
      for (const ranks of placeCopies(input, 3))
        expect(ranks.some((rank) => !lost.has(input.devices[rank]))).toBe(true);
    }),
    options,
  );
});

test("with one device the owner writes alone, however many of its tabs are members", () => {
  const input = { owner: [0, 1, 2], replica: [1, 2, 0], devices: ["d", "d", "d"] };
  expect(placeCopies(input, 3)).toEqual([[0], [1], [2]]);
});

test("four devices share the writing evenly when they share the owning evenly", () => {
  const shards = Array.from({ length: 120 }, (_, shard) => shard);
  const input = {
    owner: shards.map((shard) => shard % 4),
    replica: shards.map((shard) => (shard + 1 + (Math.floor(shard / 4) % 3)) % 4),
    devices: ["a", "b", "c", "d"],
  };
  const counts = [0, 0, 0, 0];
  for (const ranks of placeCopies(input, 3)) for (const rank of ranks) counts[rank] = (counts[rank] ?? 0) + 1;
  expect(counts.reduce((sum, count) => sum + count)).toBe(360);
  // 60 of 90 are given; the third falls on one of two devices, 60 fair coins each: sigma = sqrt(60) / 2 = 3.9, five of them.
  for (const count of counts) expect(Math.abs(count - 90)).toBeLessThan(20);
});

test("tabs of the third device take turns", () => {
  const shards = Array.from({ length: 60 }, (_, shard) => shard);
  const devices = ["a", "b", "c", "c", "c"];
  const written = placeCopies({ owner: shards.map(() => 0), replica: shards.map(() => 1), devices }, 3);
  const counts = [2, 3, 4].map((rank) => written.filter((ranks) => ranks.includes(rank)).length);
  expect(counts).toEqual([20, 20, 20]);
});

test("a device that leaves moves only the shards it had, and the result is a function of its input", () => {
  const shards = Array.from({ length: 120 }, (_, shard) => shard);
  const input = { owner: shards.map(() => 0), replica: shards.map(() => 1) };
  const before = placeCopies({ ...input, devices: ["a", "b", "c", "d", "e"] }, 3);
  const after = placeCopies({ ...input, devices: ["a", "b", "c", "d"] }, 3);
  before.forEach((ranks, shard) => {
    if (!ranks.includes(4)) expect(after[shard]).toEqual(ranks);
  });
  expect(before.some((ranks) => ranks.includes(4))).toBe(true);
  expect(placeCopies({ ...input, devices: ["a", "b", "c", "d"] }, 3)).toEqual(after);
});

test("a stripe has its parts on different devices, parity where the scheme says, and every shard is in one or has copies", () => {
  const scheme = fc.record({ dataChunks: fc.integer({ min: 2, max: 4 }), losses: fc.integer({ min: 1, max: 3 }) });
  fc.assert(
    fc.property(placements, scheme, (input, { dataChunks, losses }) => {
      const devices = new Set(input.devices).size;
      if (devices < dataChunks + losses) return;
      const { writers, stripes } = placeCheckpoint(input, { dataChunks, chunks: dataChunks + losses });
      const shards = input.owner.length;
      const parity = stripes.flatMap((stripe) => stripe.parity);
      expect(parity).toEqual(Array.from({ length: writers.length - shards }, (_, at) => shards + at));
      for (const stripe of stripes) {
        expect(stripe.parity).toHaveLength(losses);
        expect(stripe.shards.length).toBeLessThanOrEqual(dataChunks);
        const ranks = [...stripe.shards, ...stripe.parity].flatMap((unit) => writers[unit] ?? []);
        expect(new Set(ranks.map((rank) => input.devices[rank])).size).toBe(stripe.shards.length + losses);
      }
      const striped = stripes.flatMap((stripe) => stripe.shards);
      expect(new Set(striped).size).toBe(striped.length);
      for (let shard = 0; shard < shards; shard++) {
        const ranks = writers[shard] ?? [];
        expect(ranks[0]).toBe(input.owner[shard]);
        expect(ranks).toHaveLength(striped.includes(shard) ? 1 : 1 + losses);
      }
    }),
    options,
  );
});
