import fc from "fast-check";
import { expect, test } from "vitest";
import type { Bytes } from "../../../src/base/bytes.ts";
import { CorruptDataError, OptionError, ShapeError, UnsupportedError } from "../../../src/base/errors.ts";
import { valuesArray } from "../../../src/model/data/host-tensor.ts";
import { blobSource, bytesSource } from "../../../src/model/safetensors/ranged-source.ts";
import type { RangedSource } from "../../../src/model/safetensors/ranged-source.ts";
import { readSafetensors, SafetensorsFile } from "../../../src/model/safetensors/safetensors-file.ts";
import { ShardedFile, readShardIndex } from "../../../src/model/safetensors/sharded-file.ts";
import { writeSafetensors } from "../../../src/model/safetensors/write-safetensors.ts";
import { everyDType } from "./written-by-hugging-face.ts";

/** A file of this header and this many bytes of data. `length` replaces the header's own. */
function fileOf(header: unknown, dataBytes: number, length?: bigint): Bytes {
  const json = new TextEncoder().encode(typeof header === "string" ? header : JSON.stringify(header));
  const file = new Uint8Array(8 + json.length + dataBytes);
  new DataView(file.buffer).setBigUint64(0, length ?? BigInt(json.length), true);
  file.set(json, 8);
  return file;
}

/** A header's entry. */
function entry(dtype: string, shape: readonly unknown[], from: unknown, to: unknown): object {
  return { dtype, shape, data_offsets: [from, to] };
}

test("a file of every dtype is read as the table says", () => {
  const tensors = readSafetensors(everyDType);
  const expected = {
    u64: [[1], Uint32Array.of(9), "uint32"],
    i64: [[2], Int32Array.of(-3, 7), "int32"],
    f64: [[2], Float32Array.of(1.5, -0.1), "float32"],
    f32: [[2, 1], Float32Array.of(1.5, -2), "float32"],
    none: [[0, 3], new Float32Array(0), "float32"],
    u32: [[1], Uint32Array.of(2 ** 32 - 1), "uint32"],
    i32: [[], Int32Array.of(-3), "int32"],
    bf16: [[2], Float32Array.of(1, -2), "float32"],
    f16: [[2], Float32Array.of(1.5, -2), "float32"],
    u16: [[1], Int32Array.of(65_535), "int32"],
    i16: [[1], Int32Array.of(-3), "int32"],
    i8: [[3], Int32Array.of(-3, 0, 4), "int32"],
    u8: [[1], Int32Array.of(255), "int32"],
    bool: [[2], Uint32Array.of(1, 0), "bool"],
  } as const;
  expect([...tensors.keys()]).toEqual(Object.keys(expected));
  for (const [name, [shape, data, dtype]] of Object.entries(expected)) {
    expect(tensors.get(name), name).toEqual({ shape, data, dtype });
  }
});

test("what is written is read again, whatever the names, and the same tensors give the same bytes", () => {
  const dtypes = fc.constantFrom("float32", "float16", "int32", "uint32", "bool");
  const tensors = fc.dictionary(
    fc.oneof(fc.string(), fc.constantFrom("__proto__", "constructor", "1", "é")),
    fc.tuple(fc.array(fc.nat(3), { maxLength: 4 }), dtypes).map(([shape, dtype]) => {
      const count = shape.reduce((product, size) => product * size, 1);
      return { shape, dtype, data: valuesArray(dtype, count).map((_, i) => (dtype === "bool" ? i % 2 : i)) };
    }),
  );
  const check = fc.property(tensors, (given) => {
    fc.pre(!("__metadata__" in given));
    const file = writeSafetensors(given, { metadata: { format: "pt" } });
    const read = readSafetensors(file);
    expect(read.size).toBe(Object.keys(given).length);
    for (const [name, values] of Object.entries(given)) {
      const dtype = values.dtype === "float16" ? "float32" : values.dtype;
      expect(read.get(name)).toEqual({ ...values, dtype });
    }
    expect(
      writeSafetensors(Object.fromEntries(Object.entries(given).reverse()), { metadata: { format: "pt" } }),
    ).toEqual(file);
  });
  fc.assert(check, { numRuns: 200, seed: 3 });
});

const good = { a: entry("F32", [1], 0, 4), b: entry("I32", [1], 4, 8) };

test.each([
  ["nothing", new Uint8Array(0), /8 bytes of length, found 0/],
  [
    "a header of 2^60 bytes",
    fileOf(good, 8, 2n ** 60n),
    /at most \d+ bytes of header in a file of \d+, found 1152921504606846976/,
  ],
  ["a header longer than the file", fileOf(good, 8, 200n), /found 200/],
  ["no header", fileOf("", 0), /begins with \{, found byte none/],
  ["a header that is a list", fileOf("[]", 0), /begins with \{/],
  ["a header of spaces first", fileOf(` ${JSON.stringify(good)}`, 8), /begins with \{, found byte 32/],
  ["no JSON", fileOf("{a}", 0), /expected JSON/],
  ["bytes behind the object", fileOf("{}x", 0), /expected JSON/],
  ["no UTF-8", new Uint8Array([1, 0, 0, 0, 0, 0, 0, 0, 0x7b]).fill(0xff, 9), /expected JSON/],
  ["a name twice", fileOf(`{"a":${JSON.stringify(good.a)},"\\u0061":${JSON.stringify(good.a)}}`, 4), /"a" twice/],
  ["a field twice", fileOf('{"a":{"dtype":"F32","dtype":"F32","shape":[1],"data_offsets":[0,4]}}', 4), /"dtype" twice/],
  [
    "overlapping tensors",
    fileOf({ a: good.a, b: entry("I32", [1], 2, 6) }, 6),
    /"b": expected data from offset 4, found it from 2/,
  ],
  ["two tensors in one place", fileOf({ a: good.a, b: entry("I32", [1], 0, 4) }, 4), /expected data from offset 4/],
  ["a hole", fileOf({ a: good.a, b: entry("I32", [1], 8, 12) }, 12), /from offset 4, found it from 8/],
  ["a hole in front", fileOf({ b: good.b }, 8), /from offset 0, found it from 4/],
  ["bytes without a tensor", fileOf(good, 9), /8 bytes of tensors, found 9/],
  ["torn data", fileOf(good, 7), /8 bytes of tensors, found 7/],
  ["sizes unlike the shape", fileOf({ a: entry("F32", [2], 0, 4) }, 4), /8 bytes of F32 \[2\], found offsets 0 to 4/],
  ["backward offsets", fileOf({ a: entry("F32", [1], 4, 0) }, 4), /found offsets 4 to 0/],
  ["a negative size", fileOf({ a: entry("F32", [-1], 0, 4) }, 4), /dtype, shape and data_offsets/],
  [
    "a size of 2^64",
    fileOf('{"a":{"dtype":"F32","shape":[18446744073709551616],"data_offsets":[0,4]}}', 4),
    /dtype, shape/,
  ],
  ["shapes that overflow", fileOf({ a: entry("F32", [2 ** 40, 2 ** 40], 0, 4) }, 4), /offsets 0 to 4/],
  ["a shape that is text", fileOf({ a: entry("F32", ["1"], 0, 4) }, 4), /dtype, shape and data_offsets/],
  ["three offsets", fileOf({ a: { ...good.a, data_offsets: [0, 4, 8] } }, 4), /dtype, shape and data_offsets/],
  ["a tensor that is null", fileOf({ a: null }, 0), /found null/],
  ["metadata of numbers", fileOf({ __metadata__: { a: 1 } }, 0), /__metadata__ of strings/],
  ["metadata that is a list", fileOf({ __metadata__: [] }, 0), /__metadata__ of strings/],
  ["JSON 10,000 deep", fileOf(`{"a":${"[".repeat(10_000)}`, 0), /nested 32 deep at most/],
] as const)("%s is one clear error", async (_, file, message) => {
  expect(() => readSafetensors(file)).toThrow(CorruptDataError);
  expect(() => readSafetensors(file)).toThrow(message);
  await expect(SafetensorsFile.open(bytesSource(file))).rejects.toThrow(message);
});

test("fields that are not known are left alone, as the format's own reader does", () => {
  const file = fileOf({ a: { ...good.a, more: [1] } }, 4);
  expect(readSafetensors(file).get("a")?.shape).toEqual([1]);
});

test("dtypes without a reader are refused by name, and the tensors beside them can be read", async () => {
  const file = fileOf({ a: entry("F8_E4M3", [4], 0, 4), b: entry("I32", [1], 4, 8) }, 8);
  const opened = await SafetensorsFile.open(bytesSource(file, "x"));
  await expect(opened.read("a")).rejects.toThrow(UnsupportedError);
  await expect(opened.read("a")).rejects.toThrow(/x: "a": expected a dtype that can be read, found F8_E4M3/);
  expect((await opened.read("b")).data).toEqual(Int32Array.of(0));
  expect(() => readSafetensors(fileOf({ a: entry("Q7", [1], 0, 1) }, 1))).toThrow(UnsupportedError);
  expect(() => opened.info("c")).toThrow(OptionError);
});

test("what cannot be written is refused", () => {
  expect(() => writeSafetensors({ a: { shape: [2], data: Float32Array.of(1) } })).toThrow(ShapeError);
  expect(() => writeSafetensors({ a: { shape: [1], data: Float32Array.of(1), dtype: "int32" } })).toThrow(OptionError);
  expect(() => writeSafetensors({ __metadata__: { shape: [1], data: Float32Array.of(1) } })).toThrow(OptionError);
});

/** A source that notes what is read of it. */
function noted(file: Bytes): { source: RangedSource; reads: [number, number][] } {
  const reads: [number, number][] = [];
  const inner = bytesSource(file);
  const read: RangedSource["read"] = (start, end, options) => {
    reads.push([start, end]);
    return inner.read(start, end, options);
  };
  return { source: { ...inner, read }, reads };
}

test("only the header and the tensors asked for are read, with progress", async () => {
  const file = writeSafetensors({
    a: { shape: [2], data: Float32Array.of(1, 2) },
    b: { shape: [3], data: Float32Array.of(3, 4, 5) },
    c: { shape: [1], data: Uint32Array.of(1), dtype: "bool" },
  });
  const { source, reads } = noted(file);
  const opened = await SafetensorsFile.open(source);
  const dataStart = file.byteLength - 21;
  expect(reads).toEqual([
    [0, 8],
    [8, dataStart],
  ]);
  expect(opened.info("b")).toEqual({ name: "b", dtype: "F32", shape: [3], start: dataStart + 8, end: dataStart + 20 });
  const progress: unknown[] = [];
  const tensors = await opened.readAll({ names: ["b", "c"], onProgress: (step) => progress.push(step) });
  expect([...tensors]).toEqual([
    ["b", { shape: [3], data: Float32Array.of(3, 4, 5), dtype: "float32" }],
    ["c", { shape: [1], data: Uint32Array.of(1), dtype: "bool" }],
  ]);
  expect(reads.slice(2)).toEqual([
    [dataStart + 8, dataStart + 20],
    [dataStart + 20, dataStart + 21],
  ]);
  expect(progress).toEqual([
    { bytesLoaded: 12, bytesTotal: 13 },
    { bytesLoaded: 13, bytesTotal: 13 },
  ]);
  const blob = await SafetensorsFile.open(blobSource(new Blob([file]), "chosen"));
  expect(await blob.readAll()).toEqual(readSafetensors(file));
  await expect(blobSource(new Blob([file])).read(3, file.byteLength + 1)).rejects.toThrow(OptionError);
});

function indexOf(files: Readonly<Record<string, string>>): Bytes {
  return new TextEncoder().encode(JSON.stringify({ metadata: { total_size: 1 }, weight_map: files }));
}

test("a model in several files is read as one", async () => {
  const shards: Readonly<Record<string, Bytes>> = {
    "model-00001-of-00002.safetensors": writeSafetensors({ a: { shape: [], data: Float32Array.of(1) } }),
    "model-00002-of-00002.safetensors": writeSafetensors({
      b: { shape: [], data: Float32Array.of(2) },
      c: { shape: [], data: Float32Array.of(3) },
    }),
  };
  const [first = "", second = ""] = Object.keys(shards);
  const opened: string[] = [];
  const open = (name: string): RangedSource => {
    opened.push(name);
    return bytesSource(shards[name] ?? new Uint8Array(0), name);
  };
  const file = await ShardedFile.open(indexOf({ c: second, a: first, b: second }), open);
  expect(opened.sort()).toEqual([first, second]);
  expect(file.names).toEqual(["c", "a", "b"]);
  const all = [...(await file.readAll())].map(([name, { data }]) => [name, data[0]]);
  expect(all).toEqual([
    ["c", 3],
    ["a", 1],
    ["b", 2],
  ]);
  await expect(ShardedFile.open(indexOf({ z: first }), open)).rejects.toThrow(/expected "z" in model-00001/);
});

test.each([
  [indexOf({ a: "../secret" }), /plain file name, found "..\/secret"/],
  [indexOf({ a: "https://elsewhere/x" }), /plain file name/],
  [indexOf({ a: ".." }), /plain file name/],
  [new TextEncoder().encode("{}"), /weight_map/],
  [new TextEncoder().encode("null"), /weight_map/],
  [new TextEncoder().encode('{"weight_map":{"a":3}}'), /found 3/],
  [new TextEncoder().encode("["), /expected JSON/],
] as const)("%# an index that leads elsewhere, or is none, is refused", (index, message) => {
  expect(() => readShardIndex(index)).toThrow(CorruptDataError);
  expect(() => readShardIndex(index)).toThrow(message);
});
