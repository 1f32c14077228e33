/**
 * NumPy's `.npz`: a zip archive of `.npy` files, stored or deflated. Source: PKWARE's APPNOTE.TXT, sections 4.3 and 4.4;
 * without encryption, several disks and the 64-bit extension.
 */
import type { Bytes } from "../../../base/bytes.ts";
import { crc32 } from "../../../base/crc32.ts";
import { CorruptDataError, UnsupportedError } from "../../../base/errors.ts";
import { excerpt } from "../excerpt.ts";
import type { HostTensor } from "../host-tensor.ts";
import { ByteReader } from "./byte-reader.ts";
import { inflate } from "./inflate.ts";
import { readNpy } from "./npy.ts";

const END_SIGNATURE = 0x06054b50;
const CENTRAL_SIGNATURE = 0x02014b50;
const LOCAL_SIGNATURE = 0x04034b50;
const END_BYTES = 22;
const COMMENT_BYTES_MAX = 65_535;
/** Deflate's best is about a thousandth: an entry that claims more is none. */
const RATIO_MAX = 1_100;

interface Entry {
  readonly name: string;
  readonly method: number;
  readonly checksum: number;
  readonly packedBytes: number;
  readonly bytes: number;
  readonly localAt: number;
}

/** The arrays of a `.npz` file by name, without ".npy". @throws CorruptDataError, UnsupportedError */
export async function readNpz(file: Bytes): Promise<Map<string, HostTensor>> {
  const arrays = new Map<string, HostTensor>();
  for (const entry of entriesOf(file)) {
    arrays.set(entry.name.replace(/\.npy$/, ""), readNpy(await contentOf(file, entry)));
  }
  return arrays;
}

function entriesOf(file: Bytes): Entry[] {
  const end = new ByteReader("readNpz", file);
  end.seek(endAt(file) + 8);
  end.uint16(true);
  const count = end.uint16(true);
  end.uint32(true);
  const reader = new ByteReader("readNpz", file);
  reader.seek(end.uint32(true));
  return Array.from({ length: count }, () => centralEntry(reader));
}

/** The last place with the signature of the end, searched backwards over the longest comment. */
function endAt(file: Bytes): number {
  const view = new DataView(file.buffer, file.byteOffset, file.byteLength);
  const first = Math.max(0, file.byteLength - END_BYTES - COMMENT_BYTES_MAX);
  for (let at = file.byteLength - END_BYTES; at >= first; at--) {
    if (view.getUint32(at, true) === END_SIGNATURE) return at;
  }
  throw new CorruptDataError("readNpz: expected the end of a zip archive, found none");
}

function centralEntry(reader: ByteReader): Entry {
  checkSignature(reader, CENTRAL_SIGNATURE);
  reader.take(4);
  const flags = reader.uint16(true);
  const method = reader.uint16(true);
  reader.take(4);
  const [checksum, packedBytes, bytes] = [reader.uint32(true), reader.uint32(true), reader.uint32(true)];
  const [nameBytes, extraBytes, commentBytes] = [reader.uint16(true), reader.uint16(true), reader.uint16(true)];
  reader.take(8);
  const localAt = reader.uint32(true);
  const name = new TextDecoder().decode(reader.take(nameBytes));
  reader.take(extraBytes + commentBytes);
  if ((flags & 1) !== 0) throw new UnsupportedError(`readNpz: ${excerpt(name)}: expected no encryption, found some`);
  if ([packedBytes, bytes, localAt].includes(0xffffffff)) {
    throw new UnsupportedError(
      `readNpz: ${excerpt(name)}: expected a zip archive below 4 GB, found the 64-bit extension`,
    );
  }
  return { name, method, checksum, packedBytes, bytes, localAt };
}

async function contentOf(file: Bytes, entry: Entry): Promise<Bytes> {
  const what = `readNpz: ${excerpt(entry.name)}`;
  const reader = new ByteReader(what, file);
  reader.seek(entry.localAt);
  checkSignature(reader, LOCAL_SIGNATURE);
  reader.take(22);
  const [nameBytes, extraBytes] = [reader.uint16(true), reader.uint16(true)];
  reader.take(nameBytes + extraBytes);
  const packed = reader.take(entry.packedBytes);
  if (entry.method !== 0 && entry.method !== 8) {
    throw new UnsupportedError(`${what}: expected it stored or deflated, found method ${entry.method}`);
  }
  if (entry.bytes > RATIO_MAX * (entry.packedBytes + 64)) {
    throw new CorruptDataError(`${what}: expected ${entry.packedBytes} packed bytes, found a claim of ${entry.bytes}`);
  }
  const content = entry.method === 0 ? packed : await inflate(what, packed, "deflate-raw", entry.bytes);
  if (content.byteLength !== entry.bytes || crc32(content) !== entry.checksum) {
    throw new CorruptDataError(`${what}: expected ${entry.bytes} bytes with its checksum, found others`);
  }
  return content;
}

function checkSignature(reader: ByteReader, expected: number): void {
  const found = reader.uint32(true);
  if (found !== expected) {
    throw new CorruptDataError(`readNpz: expected the signature ${expected.toString(16)}, found ${found.toString(16)}`);
  }
}
