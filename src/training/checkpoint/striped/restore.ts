/**
 * Putting a striped checkpoint together again: k good chunks of every stripe, from whoever has them. A chunk that is not
 * what its hash says counts as missing, whoever sent it.
 */
import type { Bytes } from "../../../base/bytes.ts";
import { MissingDataError } from "../../../base/errors.ts";
import { hashBytes, type Hash } from "../../../base/hash.ts";
import { ReedSolomon } from "../../../storage/erasure/reed-solomon.ts";
import type { Manifest, StoredChunk, Stripe } from "./manifest.ts";

/** Asks a device for a chunk; undefined, or wrong bytes, where it has none. Never rejects. */
export type FetchChunk = (device: string, hash: Hash) => Promise<Bytes | undefined>;

/** What was found wrong on the way. */
export interface Fault {
  readonly device: string;
  readonly hash: Hash;
  readonly what: "missing" | "corrupt";
}

export interface Restored {
  readonly bytes: Bytes;
  readonly faults: readonly Fault[];
}

/** All bytes of the checkpoint. @throws MissingDataError that names the chunks when a stripe has fewer than k good ones */
export async function restoreStriped({ stripes }: Manifest, fetch: FetchChunk): Promise<Restored> {
  const total = stripes.reduce((sum, { bytes }) => sum + bytes, 0);
  const out = new Uint8Array(total);
  const faults: Fault[] = [];
  for (const stripe of stripes) {
    const parts = await gatherStripe(stripe, fetch, faults);
    for (const [at, part] of parts.entries()) {
      const from = at * stripe.chunkBytes;
      if (from < stripe.bytes)
        out.set(part.subarray(0, Math.min(part.byteLength, stripe.bytes - from)), stripe.offset + from);
    }
  }
  return { bytes: out, faults };
}

/** The data chunks of a stripe. Data before parity: where all data is there, nothing is computed. */
async function gatherStripe(stripe: Stripe, fetch: FetchChunk, faults: Fault[]): Promise<readonly Bytes[]> {
  const { chunks, dataChunks } = stripe;
  const found: (Bytes | null)[] = chunks.map(() => null);
  let good = 0;
  for (const [at, chunk] of chunks.entries()) {
    if (good === dataChunks) break;
    found[at] = await fetchGood(chunk, fetch, faults);
    if (found[at]) good += 1;
  }
  if (good < dataChunks) {
    const missing = chunks.filter((_, at) => !found[at]).map(({ hash }) => hash);
    throw new MissingDataError(
      missing,
      `restore: expected ${dataChunks} good chunks of ${chunks.length} in the stripe at byte ${stripe.offset}, found ${good}`,
    );
  }
  if (found.slice(0, dataChunks).every(Boolean)) return found.slice(0, dataChunks) as Bytes[];
  return new ReedSolomon(dataChunks, chunks.length - dataChunks).reconstruct(found).slice(0, dataChunks);
}

/** The first good copy of a chunk among its holders. */
export async function fetchGood(chunk: StoredChunk, fetch: FetchChunk, faults: Fault[]): Promise<Bytes | null> {
  for (const device of chunk.holders) {
    const bytes = await fetch(device, chunk.hash);
    if (bytes && hashBytes(bytes) === chunk.hash) return bytes;
    faults.push({ device, hash: chunk.hash, what: bytes ? "corrupt" : "missing" });
  }
  return null;
}
