/** Cutting a checkpoint's bytes into stripes of chunks, and saying which device holds which chunk. Pure. */
import { assert } from "../../../base/assert.ts";
import type { Bytes } from "../../../base/bytes.ts";
import { hashBytes, hashList, type Hash } from "../../../base/hash.ts";
import { ReedSolomon } from "../../../storage/erasure/reed-solomon.ts";
import { byScore } from "../../coordinator/rendezvous.ts";
import type { Scheme } from "./durability.ts";
import type { Stripe } from "./manifest.ts";

/** Chunks are as even as they can be between these, where there are so many bytes. */
export const CHUNK_BYTES_MIN: number = 1024 * 1024;
export const CHUNK_BYTES_MAX: number = 4 * 1024 * 1024;

/** Stripes and what is in them: the same bytes give the same chunks, so that an unchanged one is not written twice. */
export interface Striped {
  readonly stripes: readonly Stripe[];
  readonly chunks: ReadonlyMap<Hash, Bytes>;
  readonly digest: Hash;
}

/**
 * Stripes over `state`. Each chunk of a stripe is on another device, chosen by rendezvous hashing; copies (k = 1) are one
 * chunk with several holders. Costs a SHA-256 over all bytes and parity, and the code's products.
 */
export function makeStripes(state: Bytes, scheme: Scheme, devices: readonly string[]): Striped {
  assert(devices.length >= scheme.chunks, `makeStripes: ${scheme.chunks} chunks for ${devices.length} devices`);
  const chunks = new Map<Hash, Bytes>();
  const stripes: Stripe[] = [];
  const data: Hash[] = [];
  for (const { offset, bytes, chunkBytes } of planStripes(state.byteLength, scheme.dataChunks)) {
    const parts = Array.from({ length: scheme.dataChunks }, (_, at) =>
      padded(
        state.subarray(offset + at * chunkBytes, Math.min(offset + bytes, offset + (at + 1) * chunkBytes)),
        chunkBytes,
      ),
    );
    const isCopied = scheme.dataChunks === 1;
    const parity = isCopied ? [] : new ReedSolomon(scheme.dataChunks, scheme.chunks - scheme.dataChunks).encode(parts);
    const holders = byScore(devices, stripes.length).slice(0, scheme.chunks);
    const stored = [...parts, ...parity].map((part, at) => {
      const hash = hashBytes(part);
      chunks.set(hash, part);
      return { hash, holders: isCopied ? holders : holders.slice(at, at + 1) };
    });
    data.push(...stored.slice(0, scheme.dataChunks).map(({ hash }) => hash));
    stripes.push({ offset, bytes, dataChunks: scheme.dataChunks, chunkBytes, chunks: stored });
  }
  return { stripes, chunks, digest: digestOf(data) };
}

/** The root over the data chunks' hashes. */
function digestOf(hashes: readonly Hash[]): Hash {
  return hashList("checkpoint", hashes);
}

/** Where stripes begin, and how long their chunks are: fixed by the size alone, so that a generation lines up with the next. */
function planStripes(total: number, dataChunks: number): { offset: number; bytes: number; chunkBytes: number }[] {
  const chunkCount = Math.max(1, Math.ceil(total / CHUNK_BYTES_MAX));
  const stripeCount = Math.max(1, Math.ceil(chunkCount / dataChunks));
  const even = Math.ceil(total / stripeCount / dataChunks);
  const chunkBytes = total === 0 ? 0 : Math.max(Math.min(CHUNK_BYTES_MIN, total), even);
  const stripes = [];
  for (let offset = 0; offset < total; offset += chunkBytes * dataChunks) {
    stripes.push({ offset, bytes: Math.min(chunkBytes * dataChunks, total - offset), chunkBytes });
  }
  return stripes;
}

function padded(part: Bytes, length: number): Bytes {
  if (part.byteLength === length) return part;
  const out = new Uint8Array(length);
  out.set(part);
  return out;
}
