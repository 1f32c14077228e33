/** A zip archive, for the reader of archives to start from. */
import { deflateRawSync } from "node:zlib";
import { concatBytes } from "../../src/base/bytes.ts";
import type { Bytes } from "../../src/base/bytes.ts";
import { crc32 } from "../../src/base/crc32.ts";

/** Files by name, stored or deflated. */
export function zipOf(files: Readonly<Record<string, Bytes>>, deflates: boolean): Bytes {
  const parts: Bytes[] = [];
  const central: Bytes[] = [];
  let at = 0;
  for (const [name, content] of Object.entries(files)) {
    const packed = deflates ? new Uint8Array(deflateRawSync(content)) : content;
    const nameBytes = new TextEncoder().encode(name);
    // Version, flags, method, time, date, checksum, sizes, lengths of name and extra field.
    const common = fields([20, 2], [0, 2], [deflates ? 8 : 0, 2], [0, 4], [crc32(content), 4], [packed.length, 4], [content.length, 4], [nameBytes.length, 2], [0, 2]); // prettier-ignore
    const local = concatBytes([fields([0x04034b50, 4]), common, nameBytes, packed]);
    const more = fields([0, 2], [0, 2], [0, 2], [0, 4], [at, 4]);
    central.push(concatBytes([fields([0x02014b50, 4], [20, 2]), common, more, nameBytes]));
    parts.push(local);
    at += local.length;
  }
  const directory = concatBytes(central);
  const count = central.length;
  const end = fields([0x06054b50, 4], [0, 4], [count, 2], [count, 2], [directory.length, 4], [at, 4], [0, 2]);
  return concatBytes([...parts, directory, end]);
}

/** Numbers of so many bytes each, little-endian. */
function fields(...values: readonly (readonly [value: number, bytes: number])[]): Bytes {
  const out = new Uint8Array(values.reduce((sum, [, bytes]) => sum + bytes, 0));
  let at = 0;
  for (const [value, bytes] of values) for (let i = 0; i < bytes; i++) out[at++] = Math.floor(value / 256 ** i) % 256;
  return out;
}
