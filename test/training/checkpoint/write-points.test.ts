/** Every point at which writing and collecting can break off: what a restart finds is one whole generation, never a mixture. */
import { expect, test } from "vitest";
import { hashBytes } from "../../../src/base/hash.ts";
import type { Bytes } from "../../../src/base/bytes.ts";
import { MemoryStore } from "../../../src/storage/memory/memory-store.ts";
import type { Entry, Store } from "../../../src/storage/store.ts";
import type { ChunkStore, GenerationPart } from "../../../src/training/checkpoint/chunk-store.ts";
import { FaultyStore } from "./faulty-store.ts";
import type { Fault } from "./faulty-store.ts";
import { RUN, StillClock, generation, isWhole, openChunks } from "./generations.ts";

function part(step: number): GenerationPart {
  return generation(step, { shards: [1, 2, 3, 4], bytes: 200 });
}

/** Of two chunks, so that a generation takes several puts. */
const packBytesMax = 400;

const [oldest, previous, next] = [part(5), part(10), part(15)];
const keep = [previous, next].map(({ step, chain }) => ({ step, chain }));

/** What the disk holds before: two generations. */
const disk: Entry[] = [];
{
  const store = new MemoryStore();
  const chunks = openChunks(store, "before", new StillClock(), packBytesMax);
  await chunks.writeGeneration(oldest);
  await chunks.writeGeneration(previous);
  for (const key of await store.keys("")) disk.push({ key, value: (await store.get(key)) ?? new Uint8Array() });
}

async function before(): Promise<Store> {
  const store = new MemoryStore();
  await store.put(disk, { durability: "relaxed" });
  return store;
}

/** The newest generation that a restarted tab can restore in full. */
async function restored(store: Store): Promise<{ step: number | null; chunks: ChunkStore }> {
  const chunks = openChunks(store, "after");
  for (const { step } of await chunks.generations(RUN)) {
    const part = [oldest, previous, next].find((candidate) => candidate.step === step);
    if (part && (await isWhole(chunks, part))) return { step, chunks };
  }
  return { step: null, chunks };
}

interface Outcome {
  /** How far the tab itself knew it had come. */
  readonly reached: "nothing" | "written" | "collected";
  readonly faulty: FaultyStore;
  readonly store: Store;
}

async function writeWith(fault: Fault): Promise<Outcome> {
  const store = await before();
  const faulty = new FaultyStore(store, fault);
  const chunks = openChunks(faulty, "writer", new StillClock(), packBytesMax);
  let reached: Outcome["reached"] = "nothing";
  const work = async (): Promise<void> => {
    await chunks.writeGeneration(next);
    reached = "written";
    await chunks.collect(RUN, keep);
    reached = "collected";
  };
  await Promise.race([work().catch(() => {}), faulty.stopped]);
  return { reached, faulty, store };
}

/** The same tab, or another one, must be able to go on after whatever happened. */
async function expectLaterWriteWorks(store: Store): Promise<void> {
  const later: GenerationPart = { ...next, step: 20, chain: "chain-20" };
  const chunks = openChunks(store, "later", new StillClock(), packBytesMax);
  await chunks.writeGeneration(later);
  expect(await isWhole(chunks, later)).toBe(true);
}

const { faulty: plain } = await writeWith({ kind: "none" });
const operations = plain.operations;
const values = plain.values || plain.written.length;

test("the plain write that faults are planted in has packs, a pin, a sweep and its marker last of all puts of the write", () => {
  const kinds = plain.written.map((key) => key.split("/")[0]);
  expect(kinds.filter((kind) => kind === "pack")).toHaveLength(4);
  expect(kinds[0]).toBe("pin");
  expect(kinds.slice(-2)).toEqual(["marker", "sweep"]);
  expect(operations).toBeGreaterThan(15);
});

for (const kind of ["throw", "stop", "stop after"] as const) {
  test(`a store that does "${kind}" at any one operation leaves the previous or the next generation whole`, async () => {
    const found = new Set<number | null>();
    for (let operation = 0; operation < operations; operation++) {
      const fault: Fault =
        kind === "throw" ? { kind, operation } : { kind: "stop", operation, isApplied: kind === "stop after" };
      const { reached, store } = await writeWith(fault);
      const { step, chunks } = await restored(store);
      expect([10, 15], `operation ${operation}`).toContain(step);
      if (reached !== "nothing") expect(step, `operation ${operation}`).toBe(15);
      expect(chunks.damage, `operation ${operation}`).toEqual({ chunks: 0, markers: 0, blobs: 0 });
      await expectLaterWriteWorks(store);
      found.add(step);
    }
    expect(found).toEqual(new Set([10, 15]));
  });
}

const spoilers: Record<string, (value: Bytes) => Bytes> = {
  truncates: (value) => value.slice(0, Math.floor(value.byteLength / 2)),
  "zeroes the end of": (value) => value.map((byte, at) => (at < value.byteLength / 2 ? byte : 0)),
  "flips a bit of": (value) => value.map((byte, at) => (at === value.byteLength - 1 ? byte ^ 4 : byte)),
  empties: () => new Uint8Array(0),
};

for (const [how, spoil] of Object.entries(spoilers)) {
  test(`a disk that ${how} any one value never has it loaded, and the previous or next generation is whole`, async () => {
    const found = new Set<number | null>();
    for (let value = 0; value < values; value++) {
      const { faulty, store } = await writeWith({ kind: "spoil", value, how: spoil });
      const { step, chunks } = await restored(store);
      const spoiled = faulty.written[value]?.split("/")[0];
      expect([10, 15], `value ${value}`).toContain(step);
      expect(step, `value ${value}, a ${spoiled}`).toBe(spoiled === "pack" || spoiled === "marker" ? 10 : 15);
      expect(chunks.damage.chunks, `value ${value}`).toBe(spoiled === "pack" ? 1 : 0);
      expect(chunks.damage.markers, `value ${value}`).toBe(spoiled === "marker" ? 1 : 0);
      await expectLaterWriteWorks(store);
      found.add(step);
    }
    expect(found).toEqual(new Set([10, 15]));
  });
}

test("the generations are told apart by their bytes", () => {
  const hashes = [oldest, previous, next].map(({ shards }) => hashBytes(shards[1]?.parameter ?? new Uint8Array()));
  expect(new Set(hashes).size).toBe(3);
});
