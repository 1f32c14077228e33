import { expect, test } from "vitest";
import { CorruptDataError, OptionError, QuotaError } from "../../../src/base/errors.ts";
import type { Bytes } from "../../../src/base/bytes.ts";
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

test("packs of up to 4 MiB go first, one by one and relaxed, and the marker alone, strict and last", async () => {
  const store = new TracedStore();
  const sizes = [0.3, 0.3, 0.5, 5, 0.9, 7.5, 9, 0.1].map((mib) => Math.round(mib * MIB));
  const shards = sizes.flatMap((size, i) =>
    i % 2 ? [] : [shardOf(i / 2, filled(size, i), filled(sizes[i + 1] ?? 0, i + 1))],
  );
  await openChunks(store).writeGeneration({ run: RUN, step: 1, chain: "c", shards, writer: "w" });
  const kinds = store.puts.map(({ keys }) => keys[0]?.split("/")[0]);
  expect(kinds[0]).toBe("pin");
  expect(kinds.at(-1)).toBe("marker");
  expect(kinds.slice(1, -1).every((kind) => kind === "pack")).toBe(true);
  expect(store.puts.map(({ durability }) => durability)).toEqual([...kinds.slice(1).map(() => "relaxed"), "strict"]);
  const packs = store.puts.slice(1, -1);
  expect(packs.every(({ keys }) => keys.length === 1)).toBe(true);
  // 0.3 + 0.3 + 0.5, then what is larger than a pack alone, and 0.9 and 0.1 since nothing else fits beside them.
  expect(packs.map(({ bytes }) => Math.round((10 * bytes) / MIB))).toEqual([11, 50, 9, 75, 90, 1]);
});

test("chunks that a generation has twice are written once, and packs that are there already not again", async () => {
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

test.each([
  ["torn", (bytes: Bytes) => bytes.slice(0, 999)],
  ["altered", (bytes: Bytes) => bytes.map((byte, at) => (at === 4_500 ? byte ^ 1 : byte))],
])("a pack that is there and %s is written again by a tab that needs it", async (_, spoil) => {
  const store = new MemoryStore();
  const part = generation(1, small);
  await openChunks(store).writeGeneration(part);
  const [key = ""] = await store.keys("pack/");
  await store.put([{ key, value: spoil((await store.get(key)) ?? new Uint8Array()) }], { durability: "relaxed" });
  const other = openChunks(store, "other");
  const next = { ...part, step: 2, chain: "chain-2" };
  expect((await other.writeGeneration(next)).chunksWritten).toBe(6);
  expect(await isWhole(other, next)).toBe(true);
  expect(await isWhole(other, part)).toBe(true);
  expect(other.damage.chunks).toBe(1);
  expect((await openChunks(store, "third").writeGeneration(next)).chunksWritten).toBe(0);
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

/** Bytes 2000 to 3000 of the only pack. */
const SECOND = { from: 2000, to: 3000 };

for (const [what, spoil, isPackGone] of [
  ["truncated", (bytes: Bytes) => bytes.slice(0, 2500), true],
  ["empty", () => new Uint8Array(0), true],
  ["altered in one bit", (bytes: Bytes) => bytes.map((byte, at) => (at === 2077 ? byte ^ 1 : byte)), false],
  ["torn, its end zero", (bytes: Bytes) => bytes.map((byte, at) => (at < 2500 ? byte : 0)), false],
] as const) {
  test(`a chunk whose pack is ${what} is never returned: it is counted, and its shard no longer listed`, async () => {
    const store = new MemoryStore();
    const part = generation(3, small);
    await openChunks(store).writeGeneration(part);
    const [key = ""] = await store.keys("pack/");
    const pack = (await store.get(key)) ?? new Uint8Array();
    const { parameterHash } = part.shards[1] ?? shardOf(0, new Uint8Array(), new Uint8Array());
    expect(hashBytes(pack.slice(SECOND.from, SECOND.to))).toBe(parameterHash);
    await store.put([{ key, value: spoil(pack) }], { durability: "relaxed" });
    const chunks = openChunks(store, "reader");
    expect(await chunks.readChunk(parameterHash)).toBeUndefined();
    expect(await chunks.readChunk(parameterHash)).toBeUndefined();
    expect(chunks.damage.chunks).toBe(1);
    expect(await store.keys("pack/")).toEqual(isPackGone ? [] : [key]);
    const shards = isPackGone ? [] : [0, 2];
    expect(await chunks.generations(RUN)).toEqual([{ step: 3, chain: "chain-3", shards }]);
    expect(await chunks.hasChunks([parameterHash])).toEqual(new Set());
  });
}

test.each([
  ["one chunk altered", (bytes: Bytes) => bytes.map((byte, at) => (at === 2077 ? byte ^ 1 : byte)), 1],
  ["two chunks altered", (bytes: Bytes) => bytes.map((byte, at) => (at === 77 || at === 2077 ? byte ^ 1 : byte)), 2],
  ["a pack truncated", (bytes: Bytes) => bytes.slice(0, 2500), 6],
])("what scrubbing finds is mended in its pack, in parts or all at once: %s", async (_, spoil, lost) => {
  const store = new MemoryStore();
  const part = generation(3, small);
  await openChunks(store).writeGeneration(part);
  const [key = ""] = await store.keys("pack/");
  const pack = (await store.get(key)) ?? new Uint8Array();
  const bytesOf = new Map(
    part.shards.flatMap(({ parameter, parameterHash, optimizer, optimizerHash }) => [
      [parameterHash, parameter] as const,
      [optimizerHash, optimizer] as const,
    ]),
  );
  for (const atOnce of [1, 6]) {
    await store.put([{ key, value: spoil(pack) }], { durability: "relaxed" });
    const chunks = openChunks(store, "scrubber");
    let { missing } = await chunks.scrub(RUN);
    expect(missing.size).toBe(lost);
    while (missing.size > 0) {
      const mended = [...missing]
        .slice(0, atOnce)
        .map((hash) => [hash, bytesOf.get(hash) ?? new Uint8Array()] as const);
      await chunks.repair(new Map(mended));
      const left = (await chunks.scrub(RUN)).missing;
      expect(left).toEqual(new Set([...missing].slice(atOnce)));
      missing = left;
    }
    expect(await store.get(key)).toEqual(pack);
    expect(await isWhole(chunks, part)).toBe(true);
    await expect(chunks.repair(new Map([[hashBytes(pack), new Uint8Array(3)]]))).rejects.toThrow(CorruptDataError);
  }
});

test("a value that the storage has and cannot read counts as damaged, and is deleted", async () => {
  const store = new (class extends MemoryStore {
    override async get(key: string): Promise<Uint8Array<ArrayBuffer> | undefined> {
      if (key.startsWith("pack/")) throw new CorruptDataError("get: cannot read");
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

test("collecting keeps the generations named and the packs that any run's markers name, and nothing else", async () => {
  const store = new MemoryStore();
  const chunks = openChunks(store);
  const parts = [5, 10, 15].map((step) => generation(step, small));
  for (const part of parts) await chunks.writeGeneration(part);
  const elsewhere = { ...generation(5, { shards: [1], bytes: 1000 }), run: "Room_Two" };
  await chunks.writeGeneration(elsewhere);
  await store.put([{ key: `pack/${"0".repeat(64)}`, value: new Uint8Array(9) }], { durability: "relaxed" });
  await chunks.collect(RUN, [
    { step: 15, chain: "chain-15" },
    { step: 10, chain: "chain-10" },
  ]);
  expect((await chunks.generations(RUN)).map(({ step }) => step)).toEqual([15, 10]);
  expect(await isWhole(chunks, parts[1] ?? elsewhere)).toBe(true);
  expect(await isWhole(chunks, parts[2] ?? elsewhere)).toBe(true);
  expect(await isWhole(chunks, elsewhere)).toBe(true);
  // One of each generation, and the other run's.
  expect(await store.keys("pack/")).toHaveLength(3);
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

test("collecting deletes no pack while a marker of another version may name it", async () => {
  const store = new MemoryStore();
  const chunks = openChunks(store);
  await chunks.writeGeneration(generation(5, small));
  const json = JSON.stringify({ version: 99, parts: [] });
  const value = new TextEncoder().encode(`${hashBytes(new TextEncoder().encode(json))}\n${json}`);
  await store.put([{ key: "marker/future/1", value }], { durability: "strict" });
  await chunks.collect(RUN, []);
  expect(await store.keys("pack/")).toHaveLength(1);
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
  await store.put([{ key: `pack/${"1".repeat(64)}`, value: garbage }], { durability: "relaxed" });
  await chunks.collect(RUN, [{ step: 5, chain: "chain-5" }]);
  expect(await store.keys("pack/")).toHaveLength(1);
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
