/** Checkpoints through another thread: the same store, seen through messages. */
import { expose, wrap } from "comlink";
import { afterEach, expect, test } from "vitest";
import { systemClock } from "../../src/base/clock.ts";
import { CorruptDataError, QuotaError } from "../../src/base/errors.ts";
import { hashBytes } from "../../src/base/hash.ts";
import { RemoteChunks, serveChunks, type ChunkService } from "../../src/host/chunk-worker.ts";
import { MemoryStore } from "../../src/storage/memory/memory-store.ts";
import { ChunkStore, type GenerationPart } from "../../src/training/checkpoint/chunk-store.ts";
import { packPart, unpackPart, type Chunks } from "../../src/training/checkpoint/chunks.ts";

const ports: MessagePort[] = [];
afterEach(() => ports.splice(0).forEach((port) => port.close()));

function remote(chunks: Chunks): RemoteChunks {
  const { port1, port2 } = new MessageChannel();
  ports.push(port1, port2);
  expose(serveChunks(chunks), port2);
  return new RemoteChunks(wrap<ChunkService>(port1), systemClock);
}

function localStore(): ChunkStore {
  return new ChunkStore({ store: new MemoryStore(), clock: systemClock, id: "here" });
}

function generation(step: number, shards = 3, bytes = 40): GenerationPart {
  return {
    run: "r",
    step,
    chain: hashBytes(Uint8Array.of(step)),
    writer: "w",
    shards: Array.from({ length: shards }, (_, shard) => {
      const parameter = new Uint8Array(bytes + shard).fill(step + 7 * shard);
      const optimizer = new Uint8Array(2 * bytes).fill(1 + step + 11 * shard);
      return { shard, parameter, parameterHash: hashBytes(parameter), optimizer, optimizerHash: hashBytes(optimizer) };
    }),
  };
}

test("what another thread wrote is read back, byte by byte, and the writer keeps its own bytes", async () => {
  const store = localStore();
  const chunks = remote(store);
  for (const step of [5, 10]) {
    const part = generation(step);
    expect(await chunks.writeGeneration(part)).toEqual({ chunksWritten: 6, bytesWritten: 3 * 40 + 3 + 3 * 80 });
    for (const { parameter, parameterHash, optimizer, optimizerHash } of part.shards) {
      expect(parameter.byteLength).toBeGreaterThan(0);
      expect(await chunks.readChunk(parameterHash)).toEqual(parameter);
      expect(await store.readChunk(optimizerHash)).toEqual(optimizer);
    }
  }
  expect((await chunks.generations("r")).map(({ step, shards }) => [step, shards])).toEqual([
    [10, [0, 1, 2]],
    [5, [0, 1, 2]],
  ]);
  expect((await chunks.scrub("r")).missing).toEqual(new Set());
  await chunks.collect("r", [{ step: 10, chain: hashBytes(Uint8Array.of(10)) }]);
  expect((await chunks.generations("r")).map(({ step }) => step)).toEqual([10]);
  const blob = Uint8Array.of(1, 2, 3);
  await chunks.saveBlob(hashBytes(blob), blob);
  expect(await chunks.loadBlob(hashBytes(blob))).toEqual(blob);
  expect(await chunks.readChunk(hashBytes(Uint8Array.of(99)))).toBe(undefined);
});

test("two generations at once do not write into one buffer", async () => {
  const chunks = remote(localStore());
  const parts = [1, 2, 3].map((step) => generation(step));
  await chunks.writeGeneration(generation(0));
  await Promise.all(parts.map((part) => chunks.writeGeneration(part)));
  for (const { shards } of parts)
    for (const { parameter, parameterHash } of shards) expect(await chunks.readChunk(parameterHash)).toEqual(parameter);
});

test("bytes that are not what their hash says, and a full disk, are errors of their kinds here too", async () => {
  const part = generation(5);
  const wrong = { ...part, shards: part.shards.map((shard) => ({ ...shard, parameterHash: "0".repeat(64) })) };
  await expect(remote(localStore()).writeGeneration(wrong)).rejects.toBeInstanceOf(CorruptDataError);
  const full: Chunks = Object.assign(localStore(), { writeGeneration: () => Promise.reject(new QuotaError("full")) });
  const chunks = remote(full);
  await expect(chunks.writeGeneration(part)).rejects.toBeInstanceOf(QuotaError);
  await expect(chunks.writeGeneration(part)).rejects.toThrow("full");
});

test("a generation is copied into the buffer at hand where it fits, and rests after every 4 MiB", async () => {
  let rests = 0;
  const rest = async (): Promise<void> => void rests++;
  const small = generation(1);
  const spare = new ArrayBuffer(1_000);
  const packed = await packPart(small, spare, rest);
  expect(packed.buffer).toBe(spare);
  expect(unpackPart(packed)).toEqual(small);
  expect(rests).toBe(0);
  const large = generation(2, 4, 1024 * 1024);
  const { shards } = unpackPart(await packPart(large, spare, rest));
  // By their hashes: comparing millions of elements takes a test runner minutes.
  expect(shards.map(({ parameter, optimizer }) => [hashBytes(parameter), hashBytes(optimizer)])).toEqual(
    large.shards.map(({ parameterHash, optimizerHash }) => [parameterHash, optimizerHash]),
  );
  expect(rests).toBe(3);
});
