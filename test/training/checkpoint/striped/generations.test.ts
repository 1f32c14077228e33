/** Committing striped checkpoints: whole or not at all, at every point at which a tab can die; and what is refused. */
import { expect, test } from "vitest";
import { equalBytes, type Bytes } from "../../../../src/base/bytes.ts";
import { CorruptDataError } from "../../../../src/base/errors.ts";
import { MemoryStore } from "../../../../src/storage/memory/memory-store.ts";
import type { Store } from "../../../../src/storage/store.ts";
import { StripedGenerations } from "../../../../src/training/checkpoint/striped/generations.ts";
import { decodeManifest, encodeManifest, type Manifest } from "../../../../src/training/checkpoint/striped/manifest.ts";
import { restoreStriped } from "../../../../src/training/checkpoint/striped/restore.ts";
import { FaultyStore, type Fault } from "../faulty-store.ts";
import { checkpointOf, devicesOf, RUN, stateOf } from "./checkpoints.ts";

const scheme = { dataChunks: 1, chunks: 1 };
const states = [1, 2, 3].map((generation) => stateOf(10_000, "generation", generation));
const made = states.map((state, at) => checkpointOf(state, scheme, devicesOf(1), at + 1));

async function commit(store: Store, at: number): Promise<boolean> {
  const { manifest, chunks } = made[at] as (typeof made)[number];
  return (await new StripedGenerations(store, RUN).commit(manifest, chunks)).isCommitted;
}

/** The newest generation that can be restored whole; its number, after its bytes were compared. */
async function restored(store: Store): Promise<number | null> {
  const generations = new StripedGenerations(store, RUN);
  for (const manifest of await generations.read()) {
    const result = await restoreStriped(manifest, (_, hash) => generations.readChunk(hash)).catch(() => null);
    if (!result) continue;
    expect(equalBytes(result.bytes, states[manifest.generation - 1])).toBe(true);
    return manifest.generation;
  }
  return null;
}

async function twoGenerations(): Promise<Store> {
  const store = new MemoryStore();
  for (const at of [0, 1]) expect(await commit(store, at)).toBe(true);
  return store;
}

test("two generations are kept, what they do not name is collected", async () => {
  const store = await twoGenerations();
  const before = (await store.keys("")).length;
  expect(await commit(store, 2)).toBe(true);
  const generations = new StripedGenerations(store, RUN);
  expect((await generations.read()).map(({ generation }) => generation)).toEqual([3, 2]);
  expect((await store.keys("")).length).toBe(before);
});

test("unchanged chunks are not written twice", async () => {
  const store = new MemoryStore();
  await commit(store, 0);
  const again = checkpointOf(states[0] as Bytes, scheme, devicesOf(1), 2);
  const report = await new StripedGenerations(store, RUN).commit(again.manifest, again.chunks);
  expect(report).toEqual({ isCommitted: true, chunksWritten: 0, bytesWritten: 0 });
});

test("of two writers of a generation one commits, and the store holds that one whole", async () => {
  const store = await twoGenerations();
  const results = await Promise.all([commit(store, 2), commit(store, 2)]);
  expect(results.filter(Boolean).length).toBe(1);
  expect(await restored(store)).toBe(3);
});

test("killed at every write point, the previous or the new generation is there", async () => {
  const plain = new FaultyStore(await twoGenerations(), { kind: "none" });
  await commit(plain, 2);
  const found = new Set<number | null>();
  for (let operation = 0; operation < plain.operations; operation++) {
    for (const fault of [
      { kind: "throw", operation },
      { kind: "stop", operation, isApplied: false },
      { kind: "stop", operation, isApplied: true },
    ] satisfies Fault[]) {
      const store = await twoGenerations();
      const faulty = new FaultyStore(store, fault);
      await Promise.race([commit(faulty, 2).catch(() => {}), faulty.stopped]);
      const generation = await restored(store);
      expect([2, 3]).toContain(generation);
      found.add(generation);
    }
  }
  expect(found).toEqual(new Set([2, 3]));
});

test("a value that is spoiled on its way is never restored", async () => {
  const plain = new FaultyStore(await twoGenerations(), { kind: "none" });
  await commit(plain, 2);
  for (let value = 0; value < plain.values + 4; value++) {
    const store = await twoGenerations();
    const spoil = (bytes: Bytes): Bytes => bytes.slice(0, -1);
    await commit(new FaultyStore(store, { kind: "spoil", value, how: spoil }), 2).catch(() => {});
    // The head itself may be what was spoiled: then nothing is there, and other devices have to give it.
    expect([null, 2, 3]).toContain(await restored(store));
  }
});

const good = (made[0] as (typeof made)[number]).manifest;
const [stripe] = good.stripes as [Manifest["stripes"][number]];

test.each<[string, Manifest, string]>([
  [
    "overlapping tensors",
    {
      ...good,
      tensors: good.tensors.map((tensor, at) => (at === 1 ? { ...tensor, offset: tensor.offset - 4 } : tensor)),
    },
    "tensor 1 overlaps the one before",
  ],
  ["overlapping stripes", { ...good, stripes: [stripe, stripe] }, "stripe 1 overlaps the one before"],
  ["a gap", { ...good, stripes: [{ ...stripe, offset: 8 }] }, "bytes 0 to 8 are in no stripe"],
  ["another run's", { ...good, run: "another room" }, 'found "another room"'],
  ["a newer version", { ...good, version: 2 } as unknown as Manifest, "expected version 1, found 2"],
  [
    "a stripe without its data",
    { ...good, stripes: [{ ...stripe, chunks: [] }] },
    "expected 1 chunks in stripe 0, found 0",
  ],
])("a manifest with %s is refused by name", (_, manifest, message) => {
  const decode = (): Manifest => decodeManifest(encodeManifest(manifest), RUN);
  expect(decode).toThrow(CorruptDataError);
  expect(decode).toThrow(message);
});

test("a truncated manifest is refused", () => {
  expect(() => decodeManifest(encodeManifest(good).slice(0, -2), RUN)).toThrow("fit their checksum");
});
