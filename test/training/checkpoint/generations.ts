/** Generations of made-up shards, and reading them back as a member that restores would. */
import { hashBytes } from "../../../src/base/hash.ts";
import type { Bytes } from "../../../src/base/bytes.ts";
import type { Clock } from "../../../src/base/clock.ts";
import { Random } from "../../../src/base/random.ts";
import { ChunkStore } from "../../../src/training/checkpoint/chunk-store.ts";
import type { GenerationPart, ShardBytes } from "../../../src/training/checkpoint/chunk-store.ts";
import type { Store } from "../../../src/storage/store.ts";

export const RUN = "Room_One";

/** A clock that stands still, and can be moved. */
export class StillClock implements Clock {
  now = 1_000_000;
  nowMs(): number {
    return this.now;
  }
  wallMs(): number {
    return this.now;
  }
  after(delayMs: number, callback: () => void): () => void {
    let isCancelled = false;
    queueMicrotask(() => {
      if (isCancelled) return;
      this.now += delayMs;
      callback();
    });
    return () => (isCancelled = true);
  }
}

export function openChunks(
  store: Store,
  id = "tab",
  clock: Clock = new StillClock(),
  packBytesMax: number = 4 * 1024 * 1024,
): ChunkStore {
  return new ChunkStore({ store, clock, id, packBytesMax });
}

/** `bytes` bytes that are a function of their labels. */
export function filled(bytes: number, ...labels: (number | string)[]): Bytes {
  const out = new Uint8Array(bytes);
  const words = new Uint32Array(out.buffer, 0, Math.floor(bytes / 4));
  const random = new Random("generations", ...labels);
  let word = random.uint32();
  for (let i = 0; i < words.length; i++) words[i] = word = (Math.imul(word, 1_664_525) + 1_013_904_223) >>> 0;
  out[bytes - 1] = random.below(256);
  return out;
}

export function shardOf(shard: number, parameter: Bytes, optimizer: Bytes): ShardBytes {
  return { shard, parameter, parameterHash: hashBytes(parameter), optimizer, optimizerHash: hashBytes(optimizer) };
}

/** Shards of one step: all differ between steps, but for the optimizer's first, which stays. */
export function generation(
  step: number,
  options: { shards: number[]; bytes: number; writer?: string },
): GenerationPart {
  const shards = options.shards.map((shard) =>
    shardOf(
      shard,
      filled(options.bytes, step, shard, "parameter"),
      filled(options.bytes, shard === 0 ? "unchanged" : step, shard, "optimizer"),
    ),
  );
  return { run: RUN, step, chain: `chain-${step}`, shards, writer: options.writer ?? "writer" };
}

/** Whether every byte of `part` can be read back, listed and right. */
export async function isWhole(chunks: ChunkStore, part: GenerationPart): Promise<boolean> {
  const listed = (await chunks.generations(part.run)).find(({ chain }) => chain === part.chain);
  if (!listed) return false;
  for (const { shard, parameterHash, optimizerHash } of part.shards) {
    if (!listed.shards.includes(shard)) return false;
    for (const hash of [parameterHash, optimizerHash]) {
      const bytes = await chunks.readChunk(hash);
      if (!bytes) return false;
      if (hashBytes(bytes) !== hash) throw new TypeError(`readChunk gave other bytes than ${hash}`);
    }
  }
  return true;
}
