import fc from "fast-check";
import zlib from "node:zlib";
import { expect, test } from "vitest";
import { crc32 } from "../../src/base/crc32.ts";

const SEED = 20_260_103;

test("the checksum is the CRC-32 of zlib, whatever the length and the cut", () => {
  const crcOf = (zlib as unknown as { crc32?: (bytes: Uint8Array) => number }).crc32;
  expect(crc32(new TextEncoder().encode("123456789"))).toBe(0xcbf43926);
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 100 }), fc.nat(100), (bytes, cut) => {
      const whole = crc32(bytes);
      expect(crc32(bytes.subarray(cut), crc32(bytes.subarray(0, cut)))).toBe(whole);
      expect(crcOf?.(bytes) ?? bitwiseCrc(bytes)).toBe(whole);
    }),
    { seed: SEED },
  );
});

/** The definition, a bit at a time. */
function bitwiseCrc(bytes: Uint8Array): number {
  let crc = 0xffff_ffff;
  for (const byte of bytes) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ 0xedb88320 : crc >>> 1;
  }
  return ~crc >>> 0;
}
