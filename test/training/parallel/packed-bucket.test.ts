/**
 * What devices pack is bit by bit what the host's codecs pack, step after step, and one readback a bucket; of PowerSGD it
 * is a factorization as good as the host's.
 */
import { describe, expect, test } from "vitest";
import { present } from "../../../src/base/assert.ts";
import { bytesOf, type Bytes } from "../../../src/base/bytes.ts";
import { Random } from "../../../src/base/random.ts";
import type { Device } from "../../../src/compute/device/device.ts";
import { createRuntime } from "../../../src/compute/runtime/graph-runtime.ts";
import { SHARDS } from "../../../src/network/wire/state-record.ts";
import { gradientBuckets } from "../../../src/training/parallel/data/gradient-buckets.ts";
import { DEVICE_CODECS, type GradientCodec } from "../../../src/training/parallel/data/gradient-codec.ts";
import { PackedBucket } from "../../../src/training/parallel/data/packed-bucket.ts";
import type { Owners } from "../../../src/training/parallel/data/packed-layout.ts";
import { RUNTIME_DEVICES } from "../../compute/device/devices.ts";
import type { Codec } from "../../../src/network/collectives/codecs/codec.ts";
import { checkFactors } from "./check-factors.ts";
import { HostPacking } from "./host-packing.ts";

const SEED = 20_261_130;
const CODECS = (Object.keys(DEVICE_CODECS) as GradientCodec[]).filter((codec) => codec !== "powersgd");
type Floats = Float32Array<ArrayBuffer>;

/** Gradients of many magnitudes, and what may go wrong: zeros, the smallest, the largest, ties. */
function values(length: number, step: number): Floats {
  const random = new Random(SEED, length, step);
  const all = Float32Array.from({ length }, () => random.normal() * 2 ** (random.below(24) - 12));
  const odd = [0, 1e-45, -1e-40, 2 ** -126, 2 ** -101, 2 ** -24, 2 ** -25, 65_504, 65_519, 65_520, 3e38];
  all.set(odd.slice(0, length), 0);
  if (length > 600) all.fill(0, 448, 512);
  if (length > 700) all.fill(2 ** -110, 576, 640);
  if (length > 2_000) all.fill(3, 900, 1_900);
  return all;
}

/** Alone; two; shards dealt out; one that owns nothing here; the same ranks with other shards. */
const OWNERS: readonly Owners[] = [
  { size: 1, rank: 0, owner: Array.from({ length: SHARDS }, () => 0) },
  { size: 2, rank: 1, owner: Array.from({ length: SHARDS }, (_, shard) => (shard < 70 ? 0 : 1)) },
  { size: 5, rank: 3, owner: Array.from({ length: SHARDS }, (_, shard) => (shard * 7) % 5) },
  { size: 5, rank: 3, owner: Array.from({ length: SHARDS }, (_, shard) => (shard * 3 + 1) % 5) },
  { size: 4, rank: 2, owner: Array.from({ length: SHARDS }, (_, shard) => (shard % 2 === 0 ? 0 : 3)) },
];

/** Packs on the device and on the host, a step a map of owners, and compares. */
async function compare(
  device: Device,
  codec: GradientCodec,
  total: number,
  maps: readonly Owners[] = OWNERS,
  change: (sum: Floats) => void = () => {},
): Promise<void> {
  const runtime = createRuntime(device);
  let reads = 0;
  const readMany = device.readMany.bind(device);
  device.readMany = (...args) => ((reads += 1), readMany(...args));
  for (const bucket of gradientBuckets(total)) {
    const packed = new PackedBucket({ runtime, bucket, total, weight: 1 / 8, codec: DEVICE_CODECS[codec] });
    const host = new HostPacking(DEVICE_CODECS[codec].host(7), total);
    for (const [step, owners] of maps.entries()) {
      const sum = values(total, step);
      change(sum);
      const operation = 9 + step;
      packed.turn();
      host.turn();
      packed.begin(owners, { operation, seed: 7 });
      packed.write(sum);
      reads = 0;
      const messages = packed.finish(await runtime.work(packed.pack()));
      expect(reads).toBe(messages.size > 0 ? 1 : 0);
      const expected = host.pack(sum, bucket, owners, operation);
      const what = `${codec} of ${bucket.to - bucket.from}, step ${step}`;
      expect([...messages.keys()], what).toEqual([...expected.messages.keys()]);
      for (const [rank, message] of messages) {
        const [found, right] = [Buffer.from(message), Buffer.from(expected.messages.get(rank) ?? [])];
        expect(found.equals(right), `${what}, to rank ${rank}`).toBe(true);
      }
      const [kept] = await runtime.read([packed.values]);
      const [from = 0, to = 0] = expected.bounds.slice(owners.rank);
      const own = present(kept, "values").subarray(4 * from, 4 * to);
      expect(Buffer.from(own).equals(Buffer.from(bytesOf(expected.own))), `${what}, own`).toBe(true);
    }
  }
  runtime.destroy();
}

/** Beyond it what PowerSGD leaves out is rounding. */
const LARGEST = 2 ** 16;

/** Packs by PowerSGD on the device, two steps a map of owners; the host goes on with what the device left out. */
async function factor(
  device: Device,
  total: number,
  maps = OWNERS,
  change: (sum: Floats) => void = () => {},
): Promise<void> {
  const runtime = createRuntime(device);
  const codec = DEVICE_CODECS.powersgd;
  for (const bucket of gradientBuckets(total)) {
    const packed = new PackedBucket({ runtime, bucket, total, weight: 1 / 8, codec });
    let device: ReadonlyMap<number, Bytes> = new Map();
    let host = codec.host(7);
    const checked: Codec = {
      name: "checked",
      encode(values, place) {
        const found = present(device.get(place.chunk), "a message");
        checkFactors(
          values,
          found,
          host.encode(values, place),
          LARGEST,
          `${total}, bucket of ${bucket.from}, ${JSON.stringify(place)}`,
        );
        return found;
      },
      decode: (bytes) => host.decode(bytes),
    };
    const left = new HostPacking(checked, total);
    for (const [at, owners] of maps.entries()) {
      host = codec.host(7); // Under another map all begins anew.
      for (const step of [2 * at, 2 * at + 1]) {
        const sum = values(total, step).map((value) => Math.min(value, LARGEST));
        change(sum);
        packed.turn();
        left.turn();
        packed.begin(owners, { operation: 9 + step, seed: 7 });
        packed.write(sum);
        const messages = packed.finish(await runtime.work(packed.pack()));
        device = messages;
        const expected = left.pack(sum, bucket, owners, 9 + step);
        expect([...messages.keys()]).toEqual([...expected.messages.keys()]);
      }
    }
  }
  runtime.destroy();
}

describe.each(RUNTIME_DEVICES)("$name", ({ open, missing }) => {
  test.skipIf(missing !== undefined)(
    "factors as the host's PowerSGD does, and goes on from there (seed 20261130)",
    async () => {
      const device = await open();
      for (const total of [1, 119, 121, 5_003, 40_000]) await factor(device, total);
      device.destroy();
    },
  );

  test.skipIf(missing !== undefined)(
    "a message of PowerSGD with a value that is not finite is NaN, and no other",
    async () => {
      const device = await open();
      for (const odd of [Infinity, Number.NaN])
        await factor(device, 5_003, OWNERS.slice(2, 3), (sum) => sum.fill(odd, 300, 301));
      device.destroy();
    },
  );

  test.skipIf(missing !== undefined).each(CODECS)("packs the bits of the host's %s (seed 20261130)", async (codec) => {
    const device = await open();
    for (const total of [1, 119, 121, 5_003, 40_000]) await compare(device, codec, total);
    device.destroy();
  });

  // One step: what NaN leaves out is NaN, but of any bits.
  test.skipIf(missing !== undefined).each(CODECS)("packs what is not finite as the host's %s does", async (codec) => {
    const device = await open();
    await compare(device, codec, 5_003, OWNERS.slice(2, 3), (sum) => sum.set([Infinity, NaN, -Infinity], 300));
    device.destroy();
  });
});
