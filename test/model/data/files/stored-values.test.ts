import { expect, test } from "vitest";
import { CorruptDataError, OptionError, UnsupportedError } from "../../../../src/base/errors.ts";
import { decodeStored, encodeStored } from "../../../../src/model/data/stored-values.ts";
import type { StoredType } from "../../../../src/model/data/stored-values.ts";

/** `values` as bytes, big-endian, by the DataView method that writes them. */
function big(bytesEach: number, values: readonly (number | bigint)[], method: keyof DataView): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(values.length * bytesEach);
  const view = new DataView(bytes.buffer);
  const write = view[method] as (at: number, value: number | bigint) => void;
  values.forEach((value, at) => write.call(view, at * bytesEach, value));
  return bytes;
}

/** Each element's bytes the other way round. */
function swapped(bytes: Uint8Array, bytesEach: number): Uint8Array<ArrayBuffer> {
  const out = new Uint8Array(bytes.length);
  for (let at = 0; at < bytes.length; at += bytesEach) {
    out.set([...bytes.subarray(at, at + bytesEach)].reverse(), at);
  }
  return out;
}

const CASES: readonly (readonly [StoredType, number, keyof DataView, readonly (number | bigint)[], object])[] = [
  ["float64", 8, "setFloat64", [1.5, -0.1, 1e300], Float32Array.of(1.5, -0.1, Infinity)],
  ["float32", 4, "setFloat32", [1.5, -0.1, Infinity], Float32Array.of(1.5, -0.1, Infinity)],
  [
    "float16",
    2,
    "setUint16",
    [0x3c00, 0xc000, 0x0001, 0x7c00, 0x3555],
    Float32Array.of(1, -2, 2 ** -24, Infinity, 0.333251953125),
  ],
  ["bfloat16", 2, "setUint16", [0x3f80, 0xc000, 0x7f80, 0x3eab], Float32Array.of(1, -2, Infinity, 0.333984375)],
  ["int64", 8, "setBigInt64", [-5n, 2n ** 31n - 1n, -(2n ** 31n)], Int32Array.of(-5, 2 ** 31 - 1, -(2 ** 31))],
  ["int32", 4, "setInt32", [-5, 7], Int32Array.of(-5, 7)],
  ["int16", 2, "setInt16", [-300, 7], Int32Array.of(-300, 7)],
  ["int8", 1, "setInt8", [-128, 7], Int32Array.of(-128, 7)],
  ["uint64", 8, "setBigUint64", [5n, 2n ** 32n - 1n], Uint32Array.of(5, 2 ** 32 - 1)],
  ["uint32", 4, "setUint32", [5, 2 ** 32 - 1], Uint32Array.of(5, 2 ** 32 - 1)],
  ["uint16", 2, "setUint16", [65_535, 1], Int32Array.of(65_535, 1)],
  ["uint8", 1, "setUint8", [255, 1], Int32Array.of(255, 1)],
  ["bool", 1, "setUint8", [1, 0], Uint32Array.of(1, 0)],
];

test.each(CASES)(
  "%s is read in both byte orders, from any place in memory",
  (type, bytesEach, method, values, expected) => {
    const bytes = big(bytesEach, values, method);
    expect(decodeStored("x", bytes, type, { bigEndian: true })).toEqual(expected);
    const little = swapped(bytes, bytesEach);
    expect(decodeStored("x", little, type)).toEqual(expected);
    const shifted = new Uint8Array(little.length + 1);
    shifted.set(little, 1);
    expect(decodeStored("x", shifted.subarray(1), type)).toEqual(expected);
  },
);

test("what does not fit is refused, never cut", () => {
  const large = big(8, [2n ** 31n], "setBigInt64");
  expect(() => decodeStored("x", large, "int64", { bigEndian: true })).toThrow(UnsupportedError);
  expect(() => decodeStored("x", large, "int64", { bigEndian: true })).toThrow(/fit into int32, found 2147483648/);
  expect(() => decodeStored("x", new Uint8Array(8).fill(255), "uint64")).toThrow(UnsupportedError);
  expect(() => decodeStored("x", Uint8Array.of(2), "bool")).toThrow(CorruptDataError);
  expect(() => decodeStored("x", new Uint8Array(7), "float32")).toThrow(/whole values of 4 bytes, found 7/);
});

test("what is written is read again; halves are rounded to nearest, ties to even", () => {
  const floats = Float32Array.of(0, -0, 1, 1.00390625, 1.01171875, 3.4e38, NaN, -Infinity, 1e-40);
  expect(decodeStored("x", encodeStored("x", floats, "float32"), "float32")).toEqual(floats);
  // 1 + 2^-8 lies between 1 and 1 + 2^-7: the even one is 1. 1 + 3 * 2^-8 lies between 1 + 2^-7 and 1 + 2^-6.
  expect(decodeStored("x", encodeStored("x", floats, "bfloat16"), "bfloat16")).toEqual(
    Float32Array.of(0, -0, 1, 1, 1.015625, Infinity, NaN, -Infinity, 2 ** -133),
  );
  expect(decodeStored("x", encodeStored("x", floats, "float16"), "float16")).toEqual(
    Float32Array.of(0, -0, 1, 1.00390625, 1.01171875, Infinity, NaN, -Infinity, 0),
  );
  expect(encodeStored("x", Uint32Array.of(0, 7), "bool")).toEqual(Uint8Array.of(0, 1));
  expect(() => encodeStored("x", Int32Array.of(1), "float32")).toThrow(OptionError);
});
