/**
 * What a member does with checkpoints on its disk, whoever does it: `ChunkStore` on the thread at hand, or one in a worker
 * of its own, so that hashing, packing and the storage take nothing from training. Also how a generation travels there.
 */
import type { Bytes } from "../../base/bytes.ts";
import type { Hash } from "../../base/hash.ts";
import type { StoredGeneration } from "../../network/wire/state-record.ts";
import type { GenerationPart } from "./chunk-store.ts";
import type { WriteReport } from "./pack-store.ts";

/** `ChunkStore` tells what each of these does, costs and throws. */
export interface Chunks {
  hash(bytes: Bytes): Promise<Hash>;
  generations(run: string): Promise<StoredGeneration[]>;
  readChunk(hash: Hash): Promise<Bytes | undefined>;
  writeGeneration(part: GenerationPart): Promise<WriteReport>;
  collect(run: string, keep: readonly { readonly step: number; readonly chain: Hash }[]): Promise<void>;
  scrub(run: string): Promise<{ readonly chunksRead: number; readonly missing: ReadonlySet<Hash> }>;
  repair(chunks: ReadonlyMap<Hash, Bytes>): Promise<void>;
  saveBlob(hash: Hash, bytes: Bytes): Promise<void>;
  loadBlob(hash: Hash): Promise<Bytes | undefined>;
}

/** A generation whose bytes are end to end in one buffer: each shard's parameters, then its optimizer state. */
export interface PackedPart extends Omit<GenerationPart, "shards"> {
  readonly shards: readonly {
    readonly shard: number;
    readonly parameterHash: Hash;
    readonly parameterBytes: number;
    readonly optimizerHash: Hash;
    readonly optimizerBytes: number;
  }[];
  /** May be longer than what is in it. */
  readonly buffer: ArrayBuffer;
}

/** So much is copied at once: about a millisecond. */
const SLICE_BYTES = 4 * 1024 * 1024;

/**
 * Copies a generation into `spare`, or into a new buffer where that is too small; touching new memory costs more than
 * copying. `rest` is awaited after every 4 MiB, so that training has its turns.
 */
export async function packPart(
  part: GenerationPart,
  spare: ArrayBuffer | null,
  rest: () => Promise<void>,
): Promise<PackedPart> {
  const chunks = part.shards.flatMap(({ parameter, optimizer }) => [parameter, optimizer]);
  const total = chunks.reduce((sum, { byteLength }) => sum + byteLength, 0);
  const buffer = spare !== null && spare.byteLength >= total ? spare : new ArrayBuffer(total);
  const bytes = new Uint8Array(buffer);
  let [offset, sinceRest] = [0, 0];
  for (const chunk of chunks) {
    if (sinceRest + chunk.byteLength > SLICE_BYTES && sinceRest > 0) {
      await rest();
      sinceRest = 0;
    }
    bytes.set(chunk, offset);
    offset += chunk.byteLength;
    sinceRest += chunk.byteLength;
  }
  const shards = part.shards.map(({ shard, parameter, parameterHash, optimizer, optimizerHash }) => ({
    shard,
    parameterHash,
    parameterBytes: parameter.byteLength,
    optimizerHash,
    optimizerBytes: optimizer.byteLength,
  }));
  return { ...part, shards, buffer };
}

/** The generation again, its bytes views of the buffer. */
export function unpackPart({ buffer, shards: packed, ...part }: PackedPart): GenerationPart {
  let offset = 0;
  const take = (length: number): Bytes => {
    const bytes = new Uint8Array(buffer, offset, length);
    offset += length;
    return bytes;
  };
  const shards = packed.map(({ shard, parameterHash, parameterBytes, optimizerHash, optimizerBytes }) => ({
    shard,
    parameterHash,
    parameter: take(parameterBytes),
    optimizerHash,
    optimizer: take(optimizerBytes),
  }));
  return { ...part, shards };
}
