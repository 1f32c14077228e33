/**
 * Writing and reading a generation of a checkpoint: hashing, files, and every byte verified on the way back. And how much
 * of a step a checkpoint takes from training that goes on beside it.
 */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { assert } from "../src/base/assert.ts";
import type { Bytes } from "../src/base/bytes.ts";
import { systemClock } from "../src/base/clock.ts";
import { hashBytes } from "../src/base/hash.ts";
import { Random } from "../src/base/random.ts";
import { fastHash } from "../src/host/fast-hash.ts";
import { FileSystemStore } from "../src/storage/file-system/file-system-store.ts";
import { ChunkStore } from "../src/training/checkpoint/chunk-store.ts";
import type { GenerationPart } from "../src/training/checkpoint/chunk-store.ts";
import { checkpointStall } from "./checkpoint-stall.ts";
import { medianMs } from "./measure.ts";
import type { Measured } from "./result.ts";

const SHARDS = 40;
const TOTAL_BYTES = 4 * 1024 * 1024;
/** AdamW: two moments a parameter. */
const PARAMETER_BYTES = Math.floor(TOTAL_BYTES / SHARDS / 3 / 4) * 4;
const RUN = "bench";

export async function checkpoint(): Promise<Measured[]> {
  const folder = await mkdtemp(join(tmpdir(), "hearth-bench-"));
  try {
    const store = new FileSystemStore(folder);
    const open = () => new ChunkStore({ store, clock: systemClock, id: "bench", hash: fastHash });
    const chunks = open();
    let step = 0;
    // All made before the clock runs: bytes that no earlier generation has, as training makes them.
    const parts = Array.from({ length: 8 }, (_, at) => generation(at));
    const writeMs = await medianMs(() => chunks.writeGeneration(parts[step++] as GenerationPart));
    const last = parts[step - 1] as GenerationPart;
    const readMs = await medianMs(async () => {
      const reader = open();
      for (const { parameterHash, optimizerHash } of last.shards) {
        for (const hash of [parameterHash, optimizerHash]) {
          assert((await reader.readChunk(hash)) !== undefined, `bench checkpoint: chunk ${hash} is missing`);
        }
      }
    });
    return [measured("write", writeMs), measured("read", readMs), ...(await checkpointStall(store))];
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

function measured(verb: "write" | "read", ms: number): Measured {
  const bytes = SHARDS * PARAMETER_BYTES * 3;
  const notes = `file-system store, SHA-256 of all bytes, ${ms.toPrecision(3)} ms`;
  return { case: `${verb} 4 MiB in ${SHARDS} shards`, unit: "MB/s", better: "higher", ours: bytes / ms / 1e3, notes };
}

function generation(step: number): GenerationPart {
  const shards = Array.from({ length: SHARDS }, (_, shard) => {
    const parameter = filled(PARAMETER_BYTES, step, shard, "parameter");
    const optimizer = filled(PARAMETER_BYTES * 2, step, shard, "optimizer");
    const parameterHash = hashBytes(parameter);
    return { shard, parameter, parameterHash, optimizer, optimizerHash: hashBytes(optimizer) };
  });
  return { run: RUN, step, chain: hashBytes(new Uint8Array([step])), shards, writer: "bench" };
}

/** Noise that is a function of its labels. */
function filled(bytes: number, ...labels: (number | string)[]): Bytes {
  const words = new Uint32Array(bytes / 4);
  let word = new Random("bench", ...labels).uint32();
  for (let i = 0; i < words.length; i++) words[i] = word = (Math.imul(word, 1_664_525) + 1_013_904_223) >>> 0;
  return new Uint8Array(words.buffer);
}
