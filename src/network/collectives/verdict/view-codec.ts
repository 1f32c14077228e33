/** A member's view as bytes: one for its kind, then pairs of ranks, accuser and accused, of two bytes each. */
import type { Bytes } from "../../../base/bytes.ts";
import type { View } from "./verdict-state.ts";

const ACCUSING = 1;
const DECIDED = 2;
/** Every member may accuse every other one, in groups of 64. */
const RANKS_MAX = 2 * 64 * 64;

export function encodeView(view: View): Bytes {
  const ranks = view.accusations.flatMap(({ accuser, accused }) => [accuser, accused]);
  const bytes = new Uint8Array(1 + 2 * ranks.length);
  const data = new DataView(bytes.buffer);
  data.setUint8(0, view.kind === "decided" ? DECIDED : ACCUSING);
  for (const [at, rank] of ranks.entries()) data.setUint16(1 + 2 * at, rank, true);
  return bytes;
}

/** The view of a member of a group of `size`, or null where the bytes are none. Never throws. */
export function decodeView(bytes: Bytes, size: number): View | null {
  const count = (bytes.byteLength - 1) / 2;
  if (!Number.isInteger(count / 2) || count < 0 || count > RANKS_MAX) return null;
  const data = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const ranks = Array.from({ length: count }, (_, at) => data.getUint16(1 + 2 * at, true));
  if (ranks.some((rank) => rank >= size)) return null;
  const accusations = ranks.flatMap((accuser, at) => {
    const accused = ranks[at + 1];
    return at % 2 === 0 && accused !== undefined ? [{ accuser, accused }] : [];
  });
  const kind = data.getUint8(0);
  if (kind === DECIDED) return { kind: "decided", accusations };
  return kind === ACCUSING ? { kind: "accusing", accusations } : null;
}
