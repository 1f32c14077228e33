import { readFileSync } from "node:fs";
import fc from "fast-check";
import { expect, test } from "vitest";
import type { Bytes } from "../../../../src/base/bytes.ts";
import { CorruptDataError, ShapeError, UnsupportedError } from "../../../../src/base/errors.ts";
import { readNpy, writeNpy } from "../../../../src/model/data/files/npy.ts";
import { valuesArray } from "../../../../src/model/data/host-tensor.ts";
import { readNpz } from "../../../../src/model/data/files/npz.ts";

interface NumpyFixture {
  readonly arrays: readonly {
    readonly name: string;
    readonly file: string;
    readonly shape: readonly number[];
    readonly values: readonly number[];
  }[];
  readonly stored: string;
  readonly deflated: string;
  readonly refused: readonly string[];
}

/** Files that NumPy wrote (its version is in the file), as base64. */
const numpy = JSON.parse(readFileSync(new URL("./numpy.json", import.meta.url), "utf8")) as NumpyFixture;

function decoded(base64: string): Bytes {
  return new Uint8Array(Buffer.from(base64, "base64"));
}

/** An array's file with its header replaced by one as long. */
function withHeader(file: Bytes, from: string, to: string): Bytes {
  const text = Buffer.from(file).toString("latin1");
  expect(text).toContain(from);
  return new Uint8Array(Buffer.from(text.replace(from, to.padEnd(from.length)), "latin1"));
}

test.each(numpy.arrays)("$name is read as NumPy wrote it", ({ file, shape, values }) => {
  const array = readNpy(decoded(file));
  expect(array.shape).toEqual(shape);
  expect([...array.data]).toEqual(values);
});

test("strings, records and complex numbers are refused by name", () => {
  for (const file of numpy.refused) expect(() => readNpy(decoded(file))).toThrow(UnsupportedError);
});

test("what is written is read again", () => {
  const shapes = fc.array(fc.nat(4), { maxLength: 5 });
  const check = fc.property(shapes, fc.constantFrom("float32", "int32", "uint32", "bool"), (shape, dtype) => {
    const count = shape.reduce((product, size) => product * size, 1);
    const data = valuesArray(dtype, count).map((_, i) => (dtype === "bool" ? i % 2 : i * 3));
    const file = writeNpy({ shape, data, dtype });
    expect(file.byteLength % (dtype === "bool" ? 1 : 4)).toBe(0);
    expect(readNpy(file)).toEqual({ shape, data, dtype });
  });
  fc.assert(check, { numRuns: 100, seed: 1 });
  const halves = { shape: [2], data: Float32Array.of(0.5, 65_504), dtype: "float16" as const };
  expect([...readNpy(writeNpy(halves)).data]).toEqual([0.5, 65_504]);
  expect(() => writeNpy({ shape: [3], data: Float32Array.of(1) })).toThrow(ShapeError);
});

const file = writeNpy({ shape: [2, 3], data: Int32Array.of(1, 2, 3, 4, 5, 6) });

test.each([
  ["another beginning", file.slice(1), CorruptDataError, /begins with/],
  ["nothing", new Uint8Array(0), CorruptDataError, /begins with/],
  ["a torn header", file.slice(0, 40), CorruptDataError, /more bytes, found/],
  ["torn values", file.slice(0, -1), CorruptDataError, /24 bytes of int32 \[2, 3\], found 23/],
  ["too many values", new Uint8Array([...file, 0]), CorruptDataError, /found 25/],
  ["a later version", new Uint8Array(file).fill(9, 6, 7), UnsupportedError, /version 1, 2 or 3, found 9/],
  ["no type", withHeader(file, "'descr'", "'descx'"), CorruptDataError, /descr, fortran_order and shape/],
  ["a negative size", withHeader(file, "(2, 3)", "(-2,3)"), CorruptDataError, /in the header/],
  ["a larger size", withHeader(file, "(2, 3)", "(9,99)"), CorruptDataError, /found 24/],
  ["code", withHeader(file, "False", "f(x) "), CorruptDataError, /in the header/],
] as const)("%s is one clear error", (_, bytes, kind, message) => {
  expect(() => readNpy(bytes)).toThrow(kind);
  expect(() => readNpy(bytes)).toThrow(message);
});

test("archives of arrays are read, stored and deflated", async () => {
  const stored = await readNpz(decoded(numpy.stored));
  expect([...stored.keys()]).toEqual(["x", "y"]);
  expect(stored.get("x")).toEqual({ shape: [2, 3], data: Float32Array.of(0, 1, 2, 3, 4, 5), dtype: "float32" });
  expect(stored.get("y")).toEqual({ shape: [2], data: Uint32Array.of(1, 0), dtype: "bool" });
  const deflated = await readNpz(decoded(numpy.deflated));
  expect(deflated.get("x")).toEqual({ shape: [8, 8], data: new Float32Array(64), dtype: "float32" });
  expect(deflated.get("y")).toEqual({ shape: [2, 3], data: Int32Array.of(0, 1, 2, 3, 4, 5), dtype: "int32" });
});

test("an archive that is torn or changed is refused", async () => {
  const whole = decoded(numpy.deflated);
  await expect(readNpz(whole.slice(0, -30))).rejects.toThrow(/end of a zip archive/);
  for (let at = 40; at < 90; at++) {
    const changed = whole.slice();
    changed[at] = (changed[at] ?? 0) ^ 0x55;
    const outcome = await readNpz(changed).then(
      () => "read",
      (error: unknown) => error,
    );
    expect(outcome === "read" || outcome instanceof CorruptDataError || outcome instanceof UnsupportedError).toBe(true);
  }
});
