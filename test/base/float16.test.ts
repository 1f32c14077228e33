import { expect, test } from "vitest";
import { decodeFloat16, encodeFloat16, float16Bits, float16OfBits, roundToFloat16 } from "../../src/base/float16.ts";
import { Random } from "../../src/base/random.ts";

test("every float16 keeps its bits through its value", () => {
  for (let bits = 0; bits < 2 ** 16; bits++) {
    const value = float16OfBits(bits);
    if (Number.isNaN(value)) expect(float16Bits(value) & 0x7c00).toBe(0x7c00);
    else expect(float16Bits(value)).toBe(bits);
  }
});

test("a value is rounded to the nearest float16, of two to the even one, and beyond the largest to infinity", () => {
  const random = new Random(1, "float16");
  for (let i = 0; i < 20_000; i++) {
    const value = Math.fround((random.uniform() - 0.5) * 2 ** (random.below(44) - 27));
    const bits = float16Bits(value) & 0x7fff;
    const below = float16OfBits(Math.max(0, bits - 1));
    const above = float16OfBits(Math.min(0x7c00, bits + 1));
    const off = Math.abs(Math.abs(value) - float16OfBits(bits));
    if (bits === 0x7c00) expect(Math.abs(value)).toBeGreaterThanOrEqual(65_520);
    else for (const other of [below, above]) expect(off).toBeLessThanOrEqual(Math.abs(Math.abs(value) - other));
  }
  expect([1 + 2 ** -11, 1 + 3 * 2 ** -11, 2 ** -25, 3 * 2 ** -25].map(roundToFloat16)).toEqual([
    1,
    1 + 2 ** -9,
    0,
    2 ** -23,
  ]);
  expect([65_519.99, 65_520, -70_000].map(roundToFloat16)).toEqual([65_504, Infinity, -Infinity]);
  expect([...decodeFloat16(encodeFloat16([0.1, -2]))]).toEqual([0.0999755859375, -2]);
});
