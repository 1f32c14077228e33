/** Reed-Solomon 8 + 4 on one thread: the parity of 8 MiB, and four lost shards of it computed again. */
import type { Bytes } from "../src/base/bytes.ts";
import { Random } from "../src/base/random.ts";
import { ReedSolomon } from "../src/storage/erasure/reed-solomon.ts";
import { medianMs } from "./measure.ts";
import type { Measured } from "./result.ts";

const DATA_SHARDS = 8;
const PARITY_SHARDS = 4;
const SHARD_BYTES = 1024 * 1024;

export async function reedSolomon(): Promise<Measured[]> {
  const random = new Random(1, "reed-solomon");
  const data = Array.from({ length: DATA_SHARDS }, () =>
    Uint8Array.from({ length: SHARD_BYTES }, () => random.below(256)),
  );
  const code = new ReedSolomon(DATA_SHARDS, PARITY_SHARDS);
  const all = [...data, ...code.encode(data)];
  const left: (Bytes | null)[] = all.map((shard, row) => (row < PARITY_SHARDS ? null : shard));
  const encodeMs = await medianMs(async () => void code.encode(data));
  const decodeMs = await medianMs(async () => void code.reconstruct(left));
  return [measured("encode", encodeMs), measured("decode 4 lost", decodeMs)];
}

function measured(verb: string, ms: number): Measured {
  const megabytes = (DATA_SHARDS * SHARD_BYTES) / 1e6;
  return {
    case: `8 + 4, shards of 1 MiB, ${verb}`,
    unit: "MB/s",
    better: "higher",
    ours: megabytes / (ms / 1000),
    notes: "bytes of data a second, one thread, 128-bit vectors of WebAssembly",
  };
}
