import { gzipSync } from "node:zlib";
import { expect, test } from "vitest";
import type { Bytes } from "../../../../src/base/bytes.ts";
import { CorruptDataError } from "../../../../src/base/errors.ts";
import { readIdx } from "../../../../src/model/data/files/idx.ts";

const LABELS: Bytes = Uint8Array.of(0, 0, 8, 1, 0, 0, 0, 3, 7, 0, 255);
const SHORTS: Bytes = Uint8Array.of(0, 0, 0x0b, 2, 0, 0, 0, 1, 0, 0, 0, 2, 0xff, 0xfe, 1, 0);

function withZeros(bytes: Bytes, count: number): Bytes {
  const out = new Uint8Array(bytes.length + count);
  out.set(bytes);
  return out;
}

function gzipped(bytes: Bytes): Bytes {
  return new Uint8Array(gzipSync(bytes));
}

test("labels and values are read, gzipped or not", async () => {
  for (const file of [LABELS, gzipped(LABELS)]) {
    expect(await readIdx(file)).toEqual({ shape: [3], data: Int32Array.of(7, 0, 255), dtype: "int32" });
  }
  expect(await readIdx(SHORTS)).toEqual({ shape: [1, 2], data: Int32Array.of(-2, 256), dtype: "int32" });
  const double = new Uint8Array(12);
  double.set([0, 0, 0x0e, 0]);
  new DataView(double.buffer).setFloat64(4, 0.5);
  expect(await readIdx(double)).toEqual({ shape: [], data: Float32Array.of(0.5), dtype: "float32" });
});

test.each([
  ["nothing", new Uint8Array(0), /more bytes, found 0/],
  ["another type", Uint8Array.of(0, 0, 7, 0), /type from 0x08 to 0x0e, found 0 and 7/],
  ["no zeros", Uint8Array.of(1, 0, 8, 0), /two zero bytes/],
  ["a torn header", LABELS.slice(0, 6), /more bytes/],
  ["torn values", LABELS.slice(0, -1), /3 bytes of uint8 \[3\], found 2/],
  ["too many values", new Uint8Array([...LABELS, 1]), /found 4/],
  ["sizes beyond all memory", Uint8Array.of(0, 0, 14, 3, ...new Uint8Array(12).fill(255)), /found 0/],
  ["a torn archive", gzipped(LABELS).slice(0, -9), /do not decompress/],
  ["an archive of nothing known", gzipped(Uint8Array.of(1, 2, 3, 4, 5)), /type from 0x08/],
  ["an archive with more than its header says", gzipped(new Uint8Array([...LABELS, 1])), /at most 11 bytes/],
  ["a header and 100 MB of nothing, in 100 kB", gzipped(withZeros(LABELS, 100_000_000)), /at most/],
] as const)("%s is one clear error", async (_, file, message) => {
  await expect(readIdx(file)).rejects.toThrow(CorruptDataError);
  await expect(readIdx(file)).rejects.toThrow(message);
});
