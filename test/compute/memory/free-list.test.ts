import { expect, test } from "vitest";
import { FreeList, roundedBytes } from "../../../src/compute/memory/free-list.ts";

test("sizes are rounded up by at most an eighth, or to 256 bytes", () => {
  expect([0, 4, 256, 257].map(roundedBytes)).toEqual([256, 256, 256, 512]);
  for (let bytes = 4096; bytes < 2 ** 24; bytes = Math.ceil(bytes * 1.37)) {
    const rounded = roundedBytes(bytes);
    expect(rounded).toBeGreaterThanOrEqual(bytes);
    expect(rounded).toBeLessThanOrEqual(bytes * 1.125 + 256);
    expect(roundedBytes(rounded)).toBe(rounded);
  }
});

test("what is given is taken again, the last one first, and only for its own size", () => {
  const list = new FreeList<string>(1000);
  expect(list.give("a", 256)).toBe(true);
  expect(list.give("b", 256)).toBe(true);
  expect(list.take(512)).toBeUndefined();
  expect(list.take(256)).toBe("b");
  expect(list.bytes).toBe(256);
});

test("a full list refuses, and gives all back at the end", () => {
  const list = new FreeList<string>(600);
  list.give("a", 256);
  list.give("b", 256);
  expect(list.give("c", 256)).toBe(false);
  expect(list.drain().sort()).toEqual(["a", "b"]);
  expect(list.bytes).toBe(0);
});
