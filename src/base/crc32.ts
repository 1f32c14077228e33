/**
 * CRC-32 as in Ethernet and zip (polynomial 0xedb88320, reflected), eight bytes at a time.
 *
 * Finds accidents of transport, not malice: whoever can write a frame can write its checksum; content is proved by
 * SHA-256. Source: Kounavis & Berry, "Novel Table Lookup-Based Algorithms for High-Performance CRC Generation" (2008).
 */
const POLYNOMIAL = 0xedb88320;
const SLICES = 8;

/** `TABLE[256 * s + b]`: what byte b does to the checksum when s more bytes follow it. */
const TABLE: Uint32Array = makeTable();

function makeTable(): Uint32Array {
  const table = new Uint32Array(256 * SLICES);
  for (let byte = 0; byte < 256; byte++) {
    let crc = byte;
    for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ POLYNOMIAL : crc >>> 1;
    table[byte] = crc;
  }
  for (let at = 256; at < table.length; at++) {
    const before = table[at - 256] as number;
    table[at] = (before >>> 8) ^ (table[before & 0xff] as number);
  }
  return table;
}

/** The checksum of `bytes`; with `previous`, of everything that `previous` covers followed by `bytes`. */
export function crc32(bytes: Uint8Array, previous: number = 0): number {
  const [t, b] = [TABLE, bytes]; // Every index below is in range.
  const end = bytes.length;
  const wholeEnd = end - (end % SLICES);
  let crc = ~previous;
  let i = 0;
  for (; i < wholeEnd; i += SLICES) {
    const low = crc ^ (b[i]! | (b[i + 1]! << 8) | (b[i + 2]! << 16) | (b[i + 3]! << 24));
    crc =
      t[1792 + (low & 0xff)]! ^
      t[1536 + ((low >>> 8) & 0xff)]! ^
      t[1280 + ((low >>> 16) & 0xff)]! ^
      t[1024 + (low >>> 24)]! ^
      t[768 + b[i + 4]!]! ^
      t[512 + b[i + 5]!]! ^
      t[256 + b[i + 6]!]! ^
      t[b[i + 7]!]!;
  }
  for (; i < end; i++) crc = (crc >>> 8) ^ t[(crc ^ b[i]!) & 0xff]!;
  return ~crc >>> 0;
}
