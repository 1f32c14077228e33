import { expect, test } from "vitest";
import { CorruptDataError, OptionError, QuotaError } from "../../../src/base/errors.ts";
import { hashBytes } from "../../../src/base/hash.ts";
import { MemoryStore } from "../../../src/storage/memory/memory-store.ts";
import type { Entry, PutOptions } from "../../../src/storage/store.ts";
import { RUN, StillClock, filled, generation, isWhole, openChunks, shardOf } from "./generations.ts";

const small = { shards: [0, 1, 2], bytes: 1000 };
const MIB = 1024 * 1024;

/** Remembers what was put, in the order of puts. */
class TracedStore extends MemoryStore {
  readonly puts: { keys: string[]; bytes: number; durability: string }[] = [];
  override put(entries: readonly Entry[], options: PutOptions): Promise<void> {
    const bytes = entries.reduce((sum, { value }) => sum + value.byteLength, 0);
    this.puts.push({ keys: entries.map(({ key }) => key), bytes, durability: options.durability });
    return super.put(entries, options);
  }
}

test("a generation comes back whole, also for the next tab that opens the store", async () => {
  const store = new MemoryStore();
  const part = generation(5, small);
  await openChunks(store).writeGeneration(part);
  const next = openChunks(store, "next");
  expect(await next.generations(RUN)).toEqual([{ step: 5, chain: "chain-5", shards: [0, 1, 2] }]);
  expect(await isWhole(next, part)).toBe(true);
  expect(await next.generations("Room_Two")).toEqual([]);
  expect(next.damage).toEqual({ chunks: 0, markers: 0, blobs: 0 });
});

test("chunks go first in relaxed batches of 1 to 8 MiB, and the marker alone, strict and last", async () => {
  const store = new TracedStore();
  const sizes = [0.3, 0.3, 0.5, 5, 0.9, 7.5, 9, 0.1].map((mib) => Math.round(mib * MIB));
  const shards = sizes.flatMap((size, i) =>
    i % 2 ? [] : [shardOf(i / 2, filled(size, i), filled(sizes[i + 1] ?? 0, i + 1))],
  );
  await openChunks(store).writeGeneration({ run: RUN, step: 1, chain: "c", shards, writer: "w" });
  const kinds = store.puts.map(({ keys }) => keys[0]?.split("/")[0]);
  expect(kinds[0]).toBe("pin");
  expect(kinds.at(-1)).toBe("marker");
  expect(kinds.slice(1, -1).every((kind) => kind === "chunk")).toBe(true);
  expect(store.puts.map(({ durability }) => durability)).toEqual([...kinds.slice(1).map(() => "relaxed"), "strict"]);
  const batches = store.puts.slice(1, -1);
  expect(batches.length).toBeGreaterThan(3);
  for (const { keys, bytes } of batches.slice(0, -1)) {
    if (keys.length > 1) expect(bytes).toBeLessThanOrEqual(8 * MIB);
  }
  const full = batches.filter(({ bytes }) => bytes >= MIB);
  expect(full.length).toBeGreaterThanOrEqual(batches.length - 2);
});

test("chunks that are there already are not written again, within a generation or after one", async () => {
  const store = new TracedStore();
  const chunks = openChunks(store);
  const same = filled(1000, "same");
  const shards = [shardOf(0, same, same), shardOf(1, same, filled(1000, "other"))];
  const first = await chunks.writeGeneration({ run: RUN, step: 1, chain: "a", shards, writer: "w" });
  expect(first).toEqual({ chunksWritten: 2, bytesWritten: 2000 });
  const second = await chunks.writeGeneration({ run: RUN, step: 2, chain: "b", shards, writer: "w" });
  expect(second).toEqual({ chunksWritten: 0, bytesWritten: 0 });
  expect(await chunks.hasChunks([hashBytes(same), hashBytes(filled(1, 1))])).toEqual(new Set([hashBytes(same)]));
});

test("a chunk that is there and torn is written again by a tab that needs it", async () => {
  const store = new MemoryStore();
  const part = generation(1, small);
  await openChunks(store).writeGeneration(part);
  const torn = part.shards[0]?.optimizerHash ?? "";
  await store.put([{ key: `chunk/${torn}`, value: filled(999, "torn") }], { durability: "relaxed" });
  const other = openChunks(store, "other");
  const next = generation(2, small);
  expect(next.shards[0]?.optimizerHash).toBe(torn);
  expect((await other.writeGeneration(next)).chunksWritten).toBe(6);
  expect(await isWhole(other, next)).toBe(true);
  expect(other.damage.chunks).toBe(1);
});

test("bytes that are not what their hash says are refused before anything is written", async () => {
  const store = new TracedStore();
  const part = generation(1, small);
  const wrong = part.shards.map((shard) => (shard.shard === 2 ? { ...shard, optimizer: filled(1000, "x") } : shard));
  const writing = openChunks(store).writeGeneration({ ...part, shards: wrong });
  await expect(writing).rejects.toThrow(CorruptDataError);
  await expect(writing).rejects.toThrow(/shard 2 of step 1/);
  expect(store.puts).toEqual([]);
});

for (const [what, spoil] of [
  ["truncated", (bytes: Uint8Array<ArrayBuffer>) => bytes.slice(0, 500)],
  ["empty", () => new Uint8Array(0)],
  ["altered in one bit", (bytes: Uint8Array<ArrayBuffer>) => bytes.map((byte, at) => (at === 77 ? byte ^ 1 : byte))],
  ["torn, its end zero", (bytes: Uint8Array<ArrayBuffer>) => bytes.map((byte, at) => (at < 512 ? byte : 0))],
] as const) {
  test(`a chunk that is ${what} is never returned: it is deleted, counted, and its shard no longer listed`, async () => {
    const store = new MemoryStore();
    const part = generation(3, small);
    await openChunks(store).writeGeneration(part);
    const { parameter, parameterHash } = part.shards[1] ?? shardOf(0, new Uint8Array(), new Uint8Array());
    await store.put([{ key: `chunk/${parameterHash}`, value: spoil(parameter) }], { durability: "relaxed" });
    const chunks = openChunks(store, "reader");
    expect(await chunks.readChunk(parameterHash)).toBeUndefined();
    expect(chunks.damage.chunks).toBe(1);
    expect(await store.keys(`chunk/${parameterHash}`)).toEqual([]);
    expect(await chunks.generations(RUN)).toEqual([{ step: 3, chain: "chain-3", shards: [0, 2] }]);
  });
}

test("a value that the storage has and cannot read counts as damaged, and is deleted", async () => {
  const store = new (class extends MemoryStore {
    override async get(key: string): Promise<Uint8Array<ArrayBuffer> | undefined> {
      if (key.startsWith("chunk/")) throw new CorruptDataError("get: cannot read");
      return super.get(key);
    }
  })();
  const part = generation(1, small);
  const chunks = openChunks(store);
  await chunks.writeGeneration(part);
  expect(await chunks.readChunk(part.shards[0]?.parameterHash ?? "")).toBeUndefined();
  expect(chunks.damage.chunks).toBe(1);
});

test("tabs that write parts of one generation are read as one, newest generation first", async () => {
  const store = new MemoryStore();
  await openChunks(store, "b").writeGeneration(generation(10, { shards: [2, 3], bytes: 100, writer: "b" }));
  await openChunks(store, "a").writeGeneration(generation(5, { shards: [0, 1], bytes: 100, writer: "a" }));
  await openChunks(store, "a").writeGeneration(generation(10, { shards: [0, 1, 2], bytes: 100, writer: "a" }));
  expect(await openChunks(store).generations(RUN)).toEqual([
    { step: 10, chain: "chain-10", shards: [0, 1, 2, 3] },
    { step: 5, chain: "chain-5", shards: [0, 1] },
  ]);
});

test("two histories of one step are two generations", async () => {
  const store = new MemoryStore();
  const chunks = openChunks(store);
  await chunks.writeGeneration(generation(5, small));
  await chunks.writeGeneration({ ...generation(5, small), chain: "another" });
  expect((await chunks.generations(RUN)).map(({ chain }) => chain).sort()).toEqual(["another", "chain-5"]);
});

test("a writer that writes a generation again adds to what it has", async () => {
  const store = new MemoryStore();
  const chunks = openChunks(store);
  await chunks.writeGeneration(generation(5, { shards: [0], bytes: 100 }));
  await chunks.writeGeneration(generation(5, { shards: [4, 1], bytes: 100 }));
  expect((await chunks.generations(RUN))[0]?.shards).toEqual([0, 1, 4]);
});

test("a corrupt marker is ignored and counted once, and one of another version is only ignored", async () => {
  const store = new MemoryStore();
  const chunks = openChunks(store);
  await chunks.writeGeneration(generation(5, small));
  await chunks.writeGeneration(generation(10, small));
  const [older, newer] = await store.keys("marker/");
  const bytes = (await store.get(newer ?? "")) ?? new Uint8Array();
  bytes[80] = (bytes[80] ?? 0) ^ 1;
  await store.put([{ key: newer ?? "", value: bytes }], { durability: "strict" });
  for (let i = 0; i < 2; i++) expect((await chunks.generations(RUN)).map(({ step }) => step)).toEqual([5]);
  expect(chunks.damage.markers).toBe(1);
  const json = JSON.stringify({ version: 99 });
  const other = new TextEncoder().encode(`${hashBytes(new TextEncoder().encode(json))}\n${json}`);
  await store.put([{ key: older ?? "", value: other }], { durability: "strict" });
  expect(await chunks.generations(RUN)).toEqual([]);
  expect(chunks.damage.markers).toBe(1);
});

test("collecting keeps the generations named and the chunks that any run's markers name, and nothing else", async () => {
  const store = new MemoryStore();
  const chunks = openChunks(store);
  const parts = [5, 10, 15].map((step) => generation(step, small));
  for (const part of parts) await chunks.writeGeneration(part);
  const elsewhere = { ...generation(5, { shards: [1], bytes: 1000 }), run: "Room_Two" };
  await chunks.writeGeneration(elsewhere);
  await store.put([{ key: `chunk/${"0".repeat(64)}`, value: new Uint8Array(9) }], { durability: "relaxed" });
  await chunks.collect(RUN, [
    { step: 15, chain: "chain-15" },
    { step: 10, chain: "chain-10" },
  ]);
  expect((await chunks.generations(RUN)).map(({ step }) => step)).toEqual([15, 10]);
  expect(await isWhole(chunks, parts[1] ?? elsewhere)).toBe(true);
  expect(await isWhole(chunks, parts[2] ?? elsewhere)).toBe(true);
  expect(await isWhole(chunks, elsewhere)).toBe(true);
  // Two generations of six chunks that share one, and the other run's two.
  expect(await store.keys("chunk/")).toHaveLength(6 + 5 + 2);
  await chunks.collect(RUN, []);
  await chunks.collect("Room_Two", []);
  expect(await store.keys("")).toEqual([]);
});

test("collecting leaves generations after the newest one kept, and drops an abandoned history of an older step", async () => {
  const store = new MemoryStore();
  const chunks = openChunks(store);
  for (const step of [5, 10, 15]) await chunks.writeGeneration(generation(step, small));
  await chunks.writeGeneration({ ...generation(10, small), chain: "abandoned" });
  await chunks.collect(RUN, [{ step: 10, chain: "chain-10" }]);
  expect((await chunks.generations(RUN)).map(({ chain }) => chain)).toEqual(["chain-15", "chain-10"]);
});

test("collecting deletes no chunk while a marker of another version may name it", async () => {
  const store = new MemoryStore();
  const chunks = openChunks(store);
  await chunks.writeGeneration(generation(5, small));
  const json = JSON.stringify({ version: 99, parts: [] });
  const value = new TextEncoder().encode(`${hashBytes(new TextEncoder().encode(json))}\n${json}`);
  await store.put([{ key: "marker/future/1", value }], { durability: "strict" });
  await chunks.collect(RUN, []);
  expect(await store.keys("chunk/")).toHaveLength(6);
  expect(await store.keys("marker/")).toEqual(["marker/future/1"]);
});

test("a full disk is a QuotaError, leaves the older generation, and gives back the room it took", async () => {
  const store = new MemoryStore({ bytesMax: 3 * MIB });
  const chunks = openChunks(store);
  const first = generation(5, { shards: [0, 1], bytes: MIB / 4 });
  await chunks.writeGeneration(first);
  const before = await store.keys("");
  const second = generation(10, { shards: [0, 1, 2, 3], bytes: MIB });
  await expect(chunks.writeGeneration(second)).rejects.toThrow(QuotaError);
  expect(await store.keys("")).toEqual(before);
  expect(await isWhole(chunks, first)).toBe(true);
  expect((await chunks.generations(RUN)).map(({ step }) => step)).toEqual([5]);
  await chunks.writeGeneration(generation(15, { shards: [0, 1], bytes: MIB / 4 }));
  expect((await chunks.generations(RUN)).map(({ step }) => step)).toEqual([15, 5]);
});

test("a disk filled to the last byte by a tab that died can still be collected", async () => {
  const store = new MemoryStore({ bytesMax: 100_000 });
  const chunks = openChunks(store);
  await chunks.writeGeneration(generation(5, small));
  let used = 0;
  for (const key of await store.keys("")) used += (await store.get(key))?.byteLength ?? 0;
  const garbage = new Uint8Array(100_000 - used);
  await store.put([{ key: `chunk/${"1".repeat(64)}`, value: garbage }], { durability: "relaxed" });
  await chunks.collect(RUN, [{ step: 5, chain: "chain-5" }]);
  expect(await store.keys("chunk/")).toHaveLength(6);
});

test("a data file comes back whole, in pieces of 4 MiB, and damaged ones are deleted", async () => {
  const store = new MemoryStore();
  const chunks = openChunks(store);
  const file = filled(9 * MIB + 5, "file");
  const hash = hashBytes(file);
  expect(await chunks.loadBlob(hash)).toBeUndefined();
  await chunks.saveBlob(hash, file);
  const pieces = await store.keys("piece/");
  expect(pieces).toHaveLength(3);
  const found = await openChunks(store, "next").loadBlob(hash);
  expect(found && hashBytes(found)).toBe(hash);
  await store.delete([pieces[1] ?? ""]);
  expect(await chunks.loadBlob(hash)).toBeUndefined();
  expect(chunks.damage.blobs).toBe(1);
  expect(await store.keys("")).toEqual([]);
});

test("an empty data file is one too; too large a one, or one of another hash, is refused", async () => {
  const chunks = openChunks(new MemoryStore());
  const empty = new Uint8Array(0);
  await chunks.saveBlob(hashBytes(empty), empty);
  expect(await chunks.loadBlob(hashBytes(empty))).toEqual(empty);
  await expect(chunks.saveBlob(hashBytes(empty), Uint8Array.of(1))).rejects.toThrow(CorruptDataError);
  await expect(chunks.saveBlob(hashBytes(empty), new Uint8Array(64 * MIB + 1))).rejects.toThrow(OptionError);
});

test("a data file for which there is no room leaves nothing behind", async () => {
  const store = new MemoryStore({ bytesMax: 6 * MIB });
  const file = filled(9 * MIB, "file");
  await expect(openChunks(store).saveBlob(hashBytes(file), file)).rejects.toThrow(QuotaError);
  expect(await store.keys("")).toEqual([]);
});

test("the four data files saved last stay, and collecting chunks does not touch them", async () => {
  const store = new MemoryStore();
  const clock = new StillClock();
  const chunks = openChunks(store, "tab", clock);
  const files = [0, 1, 2, 3, 4, 5].map((i) => filled(100, "file", i));
  for (const file of files) {
    clock.now += 1000;
    await chunks.saveBlob(hashBytes(file), file);
  }
  await chunks.collect(RUN, []);
  const found = await Promise.all(files.map((file) => chunks.loadBlob(hashBytes(file))));
  expect(found.map((file) => file !== undefined)).toEqual([false, false, true, true, true, true]);
  expect(await store.keys("piece/")).toHaveLength(4);
});
