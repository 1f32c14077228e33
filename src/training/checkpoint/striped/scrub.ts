/** Looking for rot before it is needed: every chunk is read and hashed, and what is bad is computed and written again. */
import type { Bytes } from "../../../base/bytes.ts";
import type { Hash } from "../../../base/hash.ts";
import { ReedSolomon } from "../../../storage/erasure/reed-solomon.ts";
import type { Manifest, Stripe } from "./manifest.ts";
import { fetchGood, type Fault, type FetchChunk } from "./restore.ts";

/** Writes a chunk to a device. Rejects where the device does not take it. */
export type StoreChunk = (device: string, hash: Hash, bytes: Bytes) => Promise<void>;

export interface ScrubReport {
  readonly chunksRead: number;
  /** What was bad, and is good again. */
  readonly repaired: readonly Fault[];
  /** What could not be repaired: too little is left of its stripe, or its device refuses. */
  readonly lost: readonly Fault[];
}

/** Reads every copy of every chunk, one stripe at a time so that little memory is needed. */
export async function scrub({ stripes }: Manifest, fetch: FetchChunk, store: StoreChunk): Promise<ScrubReport> {
  const repaired: Fault[] = [];
  const lost: Fault[] = [];
  let chunksRead = 0;
  for (const stripe of stripes) {
    const { found, faults, read } = await readStripe(stripe, fetch);
    chunksRead += read;
    if (faults.length === 0) continue;
    const whole = wholeStripe(stripe, found);
    for (const fault of faults) {
      const bytes = whole?.[stripe.chunks.findIndex(({ hash }) => hash === fault.hash)];
      const isStored =
        bytes !== undefined &&
        (await store(fault.device, fault.hash, bytes).then(
          () => true,
          () => false,
        ));
      (isStored ? repaired : lost).push(fault);
    }
  }
  return { chunksRead, repaired, lost };
}

async function readStripe(
  stripe: Stripe,
  fetch: FetchChunk,
): Promise<{ found: (Bytes | null)[]; faults: Fault[]; read: number }> {
  const found: (Bytes | null)[] = [];
  const faults: Fault[] = [];
  let read = 0;
  for (const chunk of stripe.chunks) {
    let good: Bytes | null = null;
    for (const device of chunk.holders) {
      read += 1;
      good = (await fetchGood({ ...chunk, holders: [device] }, fetch, faults)) ?? good;
    }
    found.push(good);
  }
  return { found, faults, read };
}

function wholeStripe({ dataChunks, chunks }: Stripe, found: readonly (Bytes | null)[]): readonly Bytes[] | null {
  if (found.filter(Boolean).length < dataChunks) return null;
  return new ReedSolomon(dataChunks, chunks.length - dataChunks).reconstruct(found);
}
