import { expect, test } from "vitest";
import { equalBytes, floatsOf } from "../../../../src/base/bytes.ts";
import { MissingDataError } from "../../../../src/base/errors.ts";
import { SHARDS } from "../../../../src/network/wire/messages.ts";
import { exportCheckpoint, importCheckpoint } from "../../../../src/training/checkpoint/striped/checkpoint-file.ts";
import { chooseScheme, lossChanceOf } from "../../../../src/training/checkpoint/striped/durability.ts";
import { restoreStriped } from "../../../../src/training/checkpoint/striped/restore.ts";
import { scrub } from "../../../../src/training/checkpoint/striped/scrub.ts";
import { CHUNK_BYTES_MAX, CHUNK_BYTES_MIN, makeStripes } from "../../../../src/training/checkpoint/striped/stripes.ts";
import { fromOwnerOrder, ownerLayout, toOwnerOrder } from "../../../../src/training/parallel/shards.ts";
import { checkpointOf, devicesOf, holdersOf, stateOf } from "./checkpoints.ts";

const LOW = { leavesPerHour: 0.02, repairHours: 0.1 };
const HIGH = { leavesPerHour: 1, repairHours: 0.1 };
const TARGET = 1e-4;

test("few leave: copies; many leave: any k of n; the chance of loss is under the target and is the binomial one", () => {
  const calm = chooseScheme(6, LOW, TARGET);
  expect(calm.scheme).toEqual({ dataChunks: 1, chunks: 3 });
  const wild = chooseScheme(12, HIGH, TARGET);
  expect(wild.scheme.dataChunks).toBeGreaterThan(1);
  for (const choice of [calm, wild]) expect(choice.lossChance).toBeLessThan(TARGET);
  // Two of three gone, or all: 3 p^2 (1 - p) + p^3.
  expect(lossChanceOf({ dataChunks: 2, chunks: 3 }, 0.1)).toBeCloseTo(3 * 0.01 * 0.9 + 0.001, 12);
  expect(chooseScheme(2, { leavesPerHour: 9, repairHours: 1 }, TARGET).reason).toContain("more devices");
});

test("chunks are between 1 and 4 MiB where there are so many bytes, each of a stripe on another device", () => {
  const { manifest, chunks } = checkpointOf(stateOf(2_500_000, "long"), { dataChunks: 4, chunks: 6 }, devicesOf(7));
  for (const chunk of chunks.values()) {
    expect(chunk.byteLength).toBeGreaterThanOrEqual(CHUNK_BYTES_MIN);
    expect(chunk.byteLength).toBeLessThanOrEqual(CHUNK_BYTES_MAX);
  }
  for (const stripe of manifest.stripes) {
    expect(new Set(stripe.chunks.flatMap(({ holders }) => holders)).size).toBe(6);
  }
});

test.each([
  ["copies", { dataChunks: 1, chunks: 3 }],
  ["any 4 of 6", { dataChunks: 4, chunks: 6 }],
])("every pair of devices out of 6 may be lost: %s", async (_, scheme) => {
  const state = stateOf(20_000, "pairs");
  const made = checkpointOf(state, scheme, devicesOf(6));
  for (let a = 0; a < 6; a++) {
    for (let b = a + 1; b < 6; b++) {
      const { disks, fetch } = holdersOf(made);
      for (const lost of [a, b]) disks.delete(`device-${lost}`);
      expect(equalBytes((await restoreStriped(made.manifest, fetch)).bytes, state)).toBe(true);
    }
  }
});

test("more losses than parity are an error that names the chunks", async () => {
  const made = checkpointOf(stateOf(100, "lost"), { dataChunks: 2, chunks: 3 }, devicesOf(3));
  const { disks, fetch } = holdersOf(made);
  for (const lost of ["device-0", "device-1"]) disks.delete(lost);
  const failure = await restoreStriped(made.manifest, fetch).catch((error: unknown) => error);
  expect(failure).toBeInstanceOf(MissingDataError);
  expect((failure as MissingDataError).hashes.length).toBe(2);
});

test("what a group of one size wrote, a group of any other goes on from, to the bit", async () => {
  const sizes = [1, 2, 3, 5, 8];
  const state = stateOf(1_003, "sizes");
  for (const from of sizes) {
    const scheme = from === 1 ? { dataChunks: 1, chunks: 1 } : chooseScheme(from, HIGH, TARGET).scheme;
    const made = checkpointOf(state, scheme, devicesOf(from));
    const { bytes } = await restoreStriped(made.manifest, holdersOf(made).fetch);
    for (const to of sizes) {
      for (const { offset, bytes: length } of made.manifest.tensors) {
        const flat = floatsOf(bytes.slice(offset, offset + length));
        const owner = Array.from({ length: SHARDS }, (_, shard) => shard % to);
        const layout = ownerLayout(flat.length, owner, to);
        const joined = fromOwnerOrder(toOwnerOrder(flat, layout), layout);
        expect(equalBytes(new Uint8Array(joined.buffer), state.slice(offset, offset + length))).toBe(true);
      }
    }
  }
});

test("a donor that lies is found out, and the good copy is used", async () => {
  const state = stateOf(500, "liar");
  const made = checkpointOf(state, { dataChunks: 1, chunks: 2 }, devicesOf(2));
  const [chunk] = made.manifest.stripes[0]?.chunks ?? [];
  const liar = chunk?.holders[0] ?? "";
  const { fetch } = holdersOf(made);
  const lying: typeof fetch = async (device, hash) => (device === liar ? new Uint8Array(9) : fetch(device, hash));
  const restored = await restoreStriped(made.manifest, lying);
  expect(equalBytes(restored.bytes, state)).toBe(true);
  expect(restored.faults).toEqual([{ device: liar, hash: chunk?.hash, what: "corrupt" }]);
});

test("scrubbing finds rot and losses, and mends them", async () => {
  const made = checkpointOf(stateOf(5_000, "rot"), { dataChunks: 3, chunks: 5 }, devicesOf(5));
  const { disks, fetch } = holdersOf(made);
  const rotten = [...(disks.get("device-1")?.values() ?? [])][0];
  if (rotten) rotten[3] = (rotten[3] ?? 0) ^ 4;
  disks.set("device-4", new Map());
  const store = async (device: string, hash: string, bytes: Uint8Array<ArrayBuffer>): Promise<void> =>
    void disks.get(device)?.set(hash, bytes);
  const first = await scrub(made.manifest, fetch, store);
  expect(first.repaired.map(({ device, what }) => `${device} ${what}`).toSorted()).toEqual([
    "device-1 corrupt",
    "device-4 missing",
  ]);
  expect(first.lost).toEqual([]);
  expect(await scrub(made.manifest, fetch, store)).toMatchObject({ chunksRead: 5, repaired: [], lost: [] });
});

test("unchanged bytes are unchanged chunks", () => {
  const state = stateOf(1_500_000, "same");
  const scheme = { dataChunks: 1, chunks: 2 };
  const before = makeStripes(state, scheme, devicesOf(3));
  const changed = state.slice();
  changed[0] = (changed[0] ?? 0) ^ 1;
  const after = makeStripes(changed, scheme, devicesOf(3));
  const fresh = [...after.chunks.keys()].filter((hash) => !before.chunks.has(hash));
  expect(before.chunks.size).toBeGreaterThan(3);
  expect(fresh.length).toBe(1);
});

test("a checkpoint survives the way through a safetensors file", async () => {
  const state = stateOf(321, "file");
  const { manifest } = checkpointOf(state, { dataChunks: 1, chunks: 1 }, devicesOf(1));
  const { position, tensors, bytes } = await importCheckpoint(exportCheckpoint(manifest, state));
  const { step, sampler, random, optimizer, lossScale } = manifest;
  expect(position).toEqual({ step, sampler, random, optimizer, lossScale });
  expect(tensors).toEqual(manifest.tensors);
  expect(equalBytes(bytes, state)).toBe(true);
});
