/**
 * Checkpoints on disk by a thread of their own (Comlink): the training thread pays one copy of what it writes, into a
 * buffer that goes there and comes back, and no hashes, packs or transactions.
 */
import { transfer, type Remote } from "comlink";
import type { Bytes } from "../base/bytes.ts";
import type { Clock } from "../base/clock.ts";
import { CorruptDataError, HearthError, QuotaError } from "../base/errors.ts";
import type { Hash } from "../base/hash.ts";
import { sleep } from "../base/wait.ts";
import { packPart, unpackPart, type Chunks, type PackedPart } from "../training/checkpoint/chunks.ts";
import type { GenerationPart } from "../training/checkpoint/chunk-store.ts";
import type { WriteReport } from "../training/checkpoint/pack-store.ts";
import { fastHash } from "./fast-hash.ts";

/** What the other thread is asked for. Buffers are handed over, both ways. */
export interface ChunkService extends Omit<Chunks, "hash" | "writeGeneration"> {
  writePacked(part: PackedPart): Promise<{ readonly report: WriteReport; readonly buffer: ArrayBuffer }>;
}

/** On the thread that has the disk. */
export function serveChunks(chunks: Chunks): ChunkService {
  const handedOver = (bytes: Bytes | undefined): Bytes | undefined =>
    bytes === undefined ? undefined : transfer(bytes, [bytes.buffer]);
  return {
    generations: (run) => coded(chunks.generations(run)),
    readChunk: async (hash) => handedOver(await coded(chunks.readChunk(hash))),
    writePacked: async (part) => {
      const report = await coded(chunks.writeGeneration(unpackPart(part)));
      return transfer({ report, buffer: part.buffer }, [part.buffer]);
    },
    collect: (run, keep) => coded(chunks.collect(run, keep)),
    scrub: (run) => coded(chunks.scrub(run)),
    repair: (found) => coded(chunks.repair(found)),
    saveBlob: (hash, bytes) => coded(chunks.saveBlob(hash, bytes)),
    loadBlob: async (hash) => handedOver(await coded(chunks.loadBlob(hash))),
  };
}

/** On the thread that trains. */
export class RemoteChunks implements Chunks {
  readonly #remote: Remote<ChunkService>;
  readonly #clock: Clock;
  /** Of the last generation written. */
  #spare: ArrayBuffer | null = null;

  constructor(remote: Remote<ChunkService>, clock: Clock) {
    this.#remote = remote;
    this.#clock = clock;
  }

  hash(bytes: Bytes): Promise<Hash> {
    return fastHash(bytes);
  }

  generations(run: string): ReturnType<Chunks["generations"]> {
    return revived(this.#remote.generations(run));
  }

  readChunk(hash: Hash): Promise<Bytes | undefined> {
    return revived(this.#remote.readChunk(hash));
  }

  async writeGeneration(part: GenerationPart): Promise<WriteReport> {
    const spare = this.#spare;
    this.#spare = null;
    const packed = await packPart(part, spare, () => sleep(0, this.#clock));
    const { report, buffer } = await revived(this.#remote.writePacked(transfer(packed, [packed.buffer])));
    this.#spare = buffer;
    return report;
  }

  collect(run: string, keep: Parameters<Chunks["collect"]>[1]): Promise<void> {
    return revived(this.#remote.collect(run, keep));
  }

  scrub(run: string): ReturnType<Chunks["scrub"]> {
    return revived(this.#remote.scrub(run));
  }

  repair(chunks: ReadonlyMap<Hash, Bytes>): Promise<void> {
    return revived(this.#remote.repair(chunks));
  }

  saveBlob(hash: Hash, bytes: Bytes): Promise<void> {
    return revived(this.#remote.saveBlob(hash, bytes));
  }

  loadBlob(hash: Hash): Promise<Bytes | undefined> {
    return revived(this.#remote.loadBlob(hash));
  }
}

/** Of an error only name and message travel: so its name is the code, which no bundler shortens. */
class TravellingError extends HearthError {
  readonly code: string;

  constructor(cause: HearthError) {
    super(cause.message, { cause });
    this.code = cause.code;
  }

  override get name(): string {
    return this.code;
  }
}

/** What `work` gives, with errors that can travel. */
export async function coded<T>(work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (cause) {
    throw cause instanceof HearthError ? new TravellingError(cause) : cause;
  }
}

/** What the other thread did, with errors of the kinds that a disk gives. @throws QuotaError, CorruptDataError */
export async function revived<T>(answer: Promise<T>): Promise<T> {
  try {
    return await answer;
  } catch (cause) {
    const { name, message } = cause as Error;
    if (name === "quota") throw new QuotaError(message, { cause });
    if (name === "corrupt-data") throw new CorruptDataError(message, { cause });
    throw cause;
  }
}
