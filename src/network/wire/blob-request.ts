/** The payload of a blob request: why the blobs are wanted (one byte), then their hashes, 32 bytes each. */
import { assert } from "../../base/assert.ts";
import { toHex } from "../../base/bytes.ts";
import type { Bytes } from "../../base/bytes.ts";
import type { Hash } from "../../base/hash.ts";
import { BYTE_CATEGORIES } from "../byte-ledger.ts";
import type { ByteCategory } from "./run-line.ts";

export interface BlobRequest {
  /** What the answer's bytes are counted as, on the side that sends them. */
  readonly category: ByteCategory;
  readonly hashes: readonly Hash[];
}

/** More in one request than anybody needs: answers are sent one blob after another anyway. */
const REQUEST_HASHES_MAX = 64;
const HASH_BYTES = 32;

export function encodeBlobRequest({ category, hashes }: BlobRequest): Bytes {
  assert(hashes.length <= REQUEST_HASHES_MAX, `encodeBlobRequest: ${hashes.length} hashes`);
  const bytes = new Uint8Array(1 + HASH_BYTES * hashes.length);
  bytes[0] = BYTE_CATEGORIES.indexOf(category);
  for (const [index, hash] of hashes.entries()) {
    assert(/^[0-9a-f]{64}$/.test(hash), `encodeBlobRequest: ${hash} is no SHA-256`);
    for (let i = 0; i < HASH_BYTES; i++) {
      bytes[1 + HASH_BYTES * index + i] = Number.parseInt(hash.slice(2 * i, 2 * i + 2), 16);
    }
  }
  return bytes;
}

/** The request, or null where the bytes are none. Never throws. */
export function decodeBlobRequest(bytes: Bytes): BlobRequest | null {
  const count = (bytes.byteLength - 1) / HASH_BYTES;
  const category = BYTE_CATEGORIES[bytes[0] ?? BYTE_CATEGORIES.length];
  if (!Number.isInteger(count) || count < 1 || count > REQUEST_HASHES_MAX || category === undefined) return null;
  const hashes = Array.from({ length: count }, (_, index) => {
    return toHex(bytes.subarray(1 + HASH_BYTES * index, 1 + HASH_BYTES * (index + 1)));
  });
  return { category, hashes };
}
