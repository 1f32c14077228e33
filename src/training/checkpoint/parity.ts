/** Parity over shards of unequal length: each counts as padded with zeros to the longest. Pure; costs a product a byte and part. */
import { assert } from "../../base/assert.ts";
import type { Bytes } from "../../base/bytes.ts";
import { ReedSolomon } from "../../storage/erasure/reed-solomon.ts";

/** Row `row` of the parity of `parts`: as long as the longest of them. */
export function parityOf(parts: readonly Bytes[], row: number): Bytes {
  const length = Math.max(...parts.map((part) => part.byteLength));
  return new ReedSolomon(parts.length, row + 1).encodeRow(
    parts.map((part) => padded(part, length)),
    row,
  );
}

/**
 * All parts, those that are null computed from the others and `parity`, which is by row. `lengths` are the parts' own.
 * There must be as many of both as there are parts.
 */
export function rebuildParts(
  parts: readonly (Bytes | null)[],
  parity: ReadonlyMap<number, Bytes>,
  lengths: readonly number[],
): Bytes[] {
  const length = Math.max(...lengths);
  const rows = Math.max(0, ...[...parity.keys()].map((row) => row + 1));
  const found = parts.filter((part) => part !== null).length;
  assert(found + parity.size >= parts.length, `rebuildParts: ${found} parts and ${parity.size} of parity`);
  const shards = [
    ...parts.map((part) => part && padded(part, length)),
    ...Array.from({ length: rows }, (_, row) => {
      const bytes = parity.get(row);
      return bytes?.byteLength === length ? bytes : null;
    }),
  ];
  const whole = new ReedSolomon(parts.length, rows).reconstruct(shards);
  return parts.map((part, at) => part ?? (whole[at] as Bytes).slice(0, lengths[at]));
}

function padded(part: Bytes, length: number): Bytes {
  if (part.byteLength === length) return part;
  const out = new Uint8Array(length);
  out.set(part);
  return out;
}
