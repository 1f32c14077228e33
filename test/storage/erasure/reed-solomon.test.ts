import fc from "fast-check";
import { expect, test } from "vitest";
import type { Bytes } from "../../../src/base/bytes.ts";
import { Random } from "../../../src/base/random.ts";
import { invert, invertMatrix, multiply } from "../../../src/storage/erasure/galois.ts";
import { combineSimd, hasSimd } from "../../../src/storage/erasure/simd-kernel.ts";
import { combineWords } from "../../../src/storage/erasure/word-kernel.ts";
import { ReedSolomon } from "../../../src/storage/erasure/reed-solomon.ts";

function shardsOf(count: number, bytes: number): Bytes[] {
  const random = new Random(3, "shards", count, bytes);
  return Array.from({ length: count }, () => Uint8Array.from({ length: bytes }, () => random.below(256)));
}

test("every byte but 0 has an inverse, and multiplication distributes over exclusive or", () => {
  for (let a = 1; a < 256; a++) expect(multiply(a, invert(a))).toBe(1);
  const byte = fc.integer({ min: 0, max: 255 });
  fc.assert(
    fc.property(byte, byte, byte, (a, b, c) => multiply(a, b ^ c) === (multiply(a, b) ^ multiply(a, c))),
    { seed: 5 },
  );
});

test("a matrix of dependent rows has no inverse", () => {
  expect(
    invertMatrix([
      [1, 2],
      [1, 2],
    ]),
  ).toBeNull();
});

test("8 + 4: any 4 of 12 lost are computed again, all 495 ways", () => {
  const code = new ReedSolomon(8, 4);
  const data = shardsOf(8, 37);
  const all = [...data, ...code.encode(data)];
  let ways = 0;
  for (let a = 0; a < 12; a++)
    for (let b = a + 1; b < 12; b++)
      for (let c = b + 1; c < 12; c++)
        for (let d = c + 1; d < 12; d++) {
          ways += 1;
          const left = all.map((shard, row) => ([a, b, c, d].includes(row) ? null : shard));
          expect(code.reconstruct(left)).toEqual(all);
        }
  expect(ways).toBe(495);
});

test("any code decodes from any k shards", () => {
  const sizes = fc.record({
    k: fc.integer({ min: 1, max: 12 }),
    m: fc.integer({ min: 0, max: 9 }),
    bytes: fc.constantFrom(0, 1, 5, 4_097),
    seed: fc.nat(),
  });
  fc.assert(
    fc.property(sizes, ({ k, m, bytes, seed }) => {
      const code = new ReedSolomon(k, m);
      const data = shardsOf(k, bytes);
      const all = [...data, ...code.encode(data)];
      const lost = new Set(new Random(seed).shuffle(all.map((_, row) => row)).slice(0, m));
      expect(code.reconstruct(all.map((shard, row) => (lost.has(row) ? null : shard)))).toEqual(all);
    }),
    { seed: 7, numRuns: 60 },
  );
});

test("vectors and words compute the same", () => {
  expect(hasSimd()).toBe(true);
  const random = new Random(11);
  for (const [rows, columns, bytes] of [
    [1, 1, 1],
    [4, 8, 16_385],
    [5, 3, 40_000],
  ] as const) {
    const matrix = Array.from({ length: rows }, () => Array.from({ length: columns }, () => random.below(256)));
    const inputs = shardsOf(columns, bytes);
    const made = [combineSimd, combineWords].map((combine) => {
      const outputs = matrix.map(() => new Uint8Array(bytes));
      combine(matrix, inputs, outputs);
      return outputs;
    });
    expect(made[0]).toEqual(made[1]);
  }
});

test("fewer than k shards, and shards of different lengths, are refused by name", () => {
  const code = new ReedSolomon(2, 1);
  expect(() => code.reconstruct([new Uint8Array(1), null, null])).toThrow("expected 2 shards, found 1");
  expect(() => code.encode([new Uint8Array(1), new Uint8Array(2)])).toThrow("expected shards of 1 bytes");
});
