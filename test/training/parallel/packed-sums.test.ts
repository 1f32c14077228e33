/** What devices add up of packed gradients is bit by bit what the host's codecs unpack, added in the order of ranks. */
import { describe, expect, test } from "vitest";
import { present } from "../../../src/base/assert.ts";
import { bytesOf, type Bytes } from "../../../src/base/bytes.ts";
import { AbortedError, ProtocolError } from "../../../src/base/errors.ts";
import { Random } from "../../../src/base/random.ts";
import type { Device } from "../../../src/compute/device/device.ts";
import { ReferenceDevice } from "../../../src/compute/device/reference/reference-device.ts";
import { createRuntime } from "../../../src/compute/runtime/graph-runtime.ts";
import { SHARDS } from "../../../src/network/wire/state-record.ts";
import { DEVICE_CODECS, type GradientCodec } from "../../../src/training/parallel/data/gradient-codec.ts";
import { GradientPacker, type StepPlan } from "../../../src/training/parallel/data/gradient-packer.ts";
import { gatherShards, ownerLayout } from "../../../src/training/parallel/shards.ts";
import { RUNTIME_DEVICES } from "../../compute/device/devices.ts";

const SEED = 7;
const TOTAL = 40_001;
const CODECS = Object.keys(DEVICE_CODECS) as GradientCodec[];
type Floats = Float32Array<ArrayBuffer>;

/** Who owns what, and whose contributions count. */
interface Case {
  readonly what: string;
  readonly size: number;
  readonly rank: number;
  readonly owner: readonly number[];
  readonly givers: readonly number[];
}

function ownersBy(rankOf: (shard: number) => number): number[] {
  return Array.from({ length: SHARDS }, (_, shard) => rankOf(shard));
}

const CASES: readonly Case[] = [
  { what: "alone", size: 1, rank: 0, owner: ownersBy(() => 0), givers: [0] },
  { what: "two", size: 2, rank: 1, owner: ownersBy((shard) => shard % 2), givers: [0, 1] },
  { what: "shards dealt out", size: 5, rank: 2, owner: ownersBy((shard) => shard % 5), givers: [4, 2, 0, 1, 3] },
  { what: "one that owns all", size: 4, rank: 1, owner: ownersBy(() => 1), givers: [0, 1, 2, 3] },
  { what: "one that owns most", size: 6, rank: 3, owner: ownersBy((s) => (s % 5 < 2 ? 3 : 5)), givers: [0, 2, 3, 4, 5] },
  { what: "one that only owns", size: 3, rank: 0, owner: ownersBy((shard) => shard % 3), givers: [1, 2] },
  { what: "one that owns nothing", size: 3, rank: 2, owner: ownersBy((shard) => shard % 2), givers: [0, 1, 2] },
  { what: "some buckets alone", size: 2, rank: 0, owner: ownersBy((s) => (s < 40 ? 0 : 1)), givers: [0, 1] },
  { what: "many", size: 40, rank: 39, owner: ownersBy((s) => 39 - (s % 3)), givers: ownersBy((s) => s).slice(0, 40) },
]; // prettier-ignore

/** Own elements of a bucket, by rank that gives them: what it had, and the message. */
function contributions(
  codec: GradientCodec,
  { rank, givers }: Case,
  at: number,
  length: number,
): Map<number, { readonly values: Floats; readonly message: Bytes }> {
  const host = DEVICE_CODECS[codec].host(SEED);
  return new Map(
    givers.map((giver) => {
      const random = new Random("contribution", giver, at);
      const values = Float32Array.from({ length }, () => random.normal() * 2 ** (random.below(20) - 10));
      values.set([0, -0, 2 ** -24, -(2 ** -25)].slice(0, length));
      return [
        giver,
        { values, message: host.encode(values, { operation: at, rank: giver, chunk: rank, isOwn: true }) },
      ];
    }),
  );
}

/** Runs a step's sums; what was read meanwhile is counted. */
async function sumOn(
  device: Device,
  codec: GradientCodec,
  one: Case,
): Promise<{ readonly found: Floats; readonly expected: Floats; readonly reads: number }> {
  const runtime = createRuntime(device);
  const packer = new GradientPacker(runtime, { codec, count: TOTAL, slots: 1, seed: SEED });
  const { owner, size, rank, givers } = one;
  const plan: StepPlan = { step: 1, owner, size, rank, operation: 3 };
  const host = DEVICE_CODECS[codec].host(SEED);
  const gives = givers.includes(rank);
  const random = new Random("own");
  const sum = Float32Array.from({ length: TOTAL }, () => random.normal());
  if (gives) packer.begin(plan);
  const expected: Floats[] = [];
  let reads = 0;
  const readMany = device.readMany.bind(device);
  for (const [at, packed] of packer.buckets.entries()) {
    const { firstShard, endShard } = packed.bucket;
    const { shards } = ownerLayout(TOTAL, owner, size, [firstShard, endShard]);
    const own = gatherShards(sum, shards[rank] ?? []);
    if (gives) {
      packed.write(sum);
      packed.finish(await runtime.work(packed.pack()));
    }
    const given = own.length === 0 ? new Map() : contributions(codec, one, at, own.length);
    const parts = own.length === 0 ? [] : [...givers].sort((a, b) => a - b).map((giver) => (giver === rank ? own : host.decode(given.get(giver)?.message ?? new Uint8Array(0)))); // prettier-ignore
    const nothing = new Float32Array(own.length);
    expected.push(parts.reduce((all, part) => all.map((value, i) => value + (part[i] ?? 0)), nothing));
    const messages = new Map([...given].map(([giver, { message }]) => [giver, message]));
    device.readMany = (...args) => ((reads += 1), readMany(...args));
    await packer.sums.add({ at, owners: plan, givers, messages });
    device.readMany = readMany;
  }
  device.readMany = (...args) => ((reads += 1), readMany(...args));
  const found = await packer.sums.own(plan);
  device.readMany = readMany;
  runtime.destroy();
  return { found, expected: Float32Array.from(expected.reverse().flatMap((part) => [...part])), reads };
}

describe.each(RUNTIME_DEVICES)("$name", ({ open, missing }) => {
  test.skipIf(missing !== undefined).each(CODECS)(
    "adds what %s packed as the host does, with one readback a step",
    async (codec) => {
      const device = await open();
      for (const one of CASES) {
        const { found, expected, reads } = await sumOn(device, codec, one);
        expect(reads, one.what).toBe(expected.length > 0 ? 1 : 0);
        expect(found.length, one.what).toBe(expected.length);
        if (codec === "powersgd") {
          // Products of factors round otherwise on each device.
          const apart = Math.max(0, ...found.map((value, at) => Math.abs(value - (expected[at] ?? 0))));
          const largest = expected.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
          expect(apart, one.what).toBeLessThanOrEqual(largest * 2 ** -20);
        } else {
          expect(Buffer.from(bytesOf(found)).equals(Buffer.from(bytesOf(expected))), one.what).toBe(true);
        }
      }
      device.destroy();
    },
    60_000,
  );
});

const PLAN: StepPlan = { step: 1, owner: ownersBy((shard) => shard % 2), size: 2, rank: 0, operation: 3 };

/** What adds up, and how many elements of the first bucket are own. */
function firstBucket(
  codec: GradientCodec,
  device: Device = new ReferenceDevice(),
): { readonly packer: GradientPacker; readonly length: number } {
  const packer = new GradientPacker(createRuntime(device, { reopen: async () => new ReferenceDevice() }), {
    codec,
    count: TOTAL,
    slots: 1,
    seed: SEED,
  });
  const { firstShard, endShard } = present(packer.buckets[0], "a bucket").bucket;
  const { bounds } = ownerLayout(TOTAL, PLAN.owner, PLAN.size, [firstShard, endShard]);
  return { packer, length: present(bounds[1], "the end of rank 0") };
}

test("a message of another length is refused by its rank's name, and what comes after an abort is not added", async () => {
  const { packer, length } = firstBucket("int8");
  const arrived = { at: 0, owners: PLAN, givers: [1], messages: new Map([[1, new Uint8Array(12)]]) };
  await expect(packer.sums.add(arrived)).rejects.toThrow(ProtocolError);
  await expect(packer.sums.add(arrived)).rejects.toThrow(/gradients of rank 1: expected \d+ bytes, found 12/);
  const signal = AbortSignal.abort(new AbortedError("the step has failed"));
  const message = DEVICE_CODECS.int8.host(SEED).encode(new Float32Array(length).fill(1), { operation: 3, rank: 1, chunk: 0, isOwn: true }); // prettier-ignore
  const late = { ...arrived, messages: new Map([[1, message]]), signal };
  await expect(packer.sums.add(late)).rejects.toThrow("the step has failed");
  expect((await packer.sums.own(PLAN)).every((value) => value === 0)).toBe(true);
});

test("places beyond what a rank owns are nobody's: a message of top-k cannot write elsewhere", async () => {
  const { packer, length } = firstBucket("topk");
  const values = Float32Array.from({ length }, (_, at) => at + 1);
  const codec = DEVICE_CODECS.topk.host(SEED);
  const good = codec.encode(values, { operation: 3, rank: 1, chunk: 0, isOwn: true });
  const bad = new Uint32Array(good.slice().buffer);
  const [, count = 0] = bad;
  expect(count).toBeGreaterThan(4);
  bad.set([length, 2 ** 31, 2 ** 32 - 1, length + 1], 2);
  await packer.sums.add({ at: 0, owners: PLAN, givers: [1], messages: new Map([[1, new Uint8Array(bad.buffer)]]) });
  const found = (await packer.sums.own(PLAN)).slice(-length);
  const expected = codec.decode(good);
  for (const place of new Uint32Array(good.slice().buffer, 8, 4)) expected[place] = 0;
  expect(found).toEqual(expected);
});

test("another device has what a lost one had added up", async () => {
  const device = new ReferenceDevice();
  const { packer, length } = firstBucket("int8", device);
  const codec = DEVICE_CODECS.int8.host(SEED);
  const values = Float32Array.from({ length }, (_, at) => Math.sin(at));
  const message = codec.encode(values, { operation: 3, rank: 1, chunk: 0, isOwn: true });
  await packer.sums.add({ at: 0, owners: PLAN, givers: [1], messages: new Map([[1, message]]) });
  device.destroy();
  expect((await packer.sums.own(PLAN)).slice(-length)).toEqual(codec.decode(message).map((value) => value + 0));
});
