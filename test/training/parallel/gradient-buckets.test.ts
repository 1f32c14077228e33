import { expect, test } from "vitest";
import { BUCKETS_MAX, gradientBuckets } from "../../../src/training/parallel/data/gradient-buckets.ts";
import { GradientStages } from "../../../src/training/parallel/data/gradient-stages.ts";
import { shardRange } from "../../../src/training/parallel/shards.ts";

test("buckets cover the gradient once, from its end to its beginning, between borders of shards", () => {
  for (const count of [1, 119, 1_003, 20_000, 40_001, 110_209, 98_304, 5_000_003]) {
    const buckets = gradientBuckets(count);
    expect(buckets.length).toBeLessThanOrEqual(BUCKETS_MAX);
    expect(buckets[0]?.to).toBe(count);
    expect(buckets.at(-1)?.from).toBe(0);
    for (const [at, { from, firstShard, endShard }] of buckets.entries()) {
      expect(from).toBe(shardRange(count, firstShard)[0]);
      expect(firstShard).toBeLessThan(endShard);
      if (at > 0) expect(buckets[at]?.to).toBe(buckets[at - 1]?.from);
    }
  }
});

test("a small gradient is one bucket, a large one several of equal length", () => {
  expect(gradientBuckets(1_003)).toHaveLength(1);
  expect(gradientBuckets(32_767)).toHaveLength(1);
  expect(gradientBuckets(32_768)).toHaveLength(2);
  const sizes = gradientBuckets(1_280_000).map(({ from, to }) => to - from);
  expect(sizes).toHaveLength(BUCKETS_MAX);
  for (const size of sizes) expect(Math.abs(size - 128_000)).toBeLessThanOrEqual(10_000);
});

test("results are read with the first bucket that needs them, and buckets are told in order when all of theirs are there", () => {
  // The second parameter reaches from the end of the last bucket into all but the first.
  const stages = new GradientStages([10_000, 180_000, 10_000]);
  expect(stages.outputs).toEqual([[0, 2, 3], [1]]);
  const told: number[] = [];
  const assembly = stages.begin((gradient) => told.push(gradient[199_999] ?? 0));
  assembly.take(1, [new Float32Array(10_000).fill(1)]);
  expect(told).toEqual([]);
  assembly.take(0, [Float32Array.of(7), new Float32Array(180_000).fill(2), new Float32Array(10_000).fill(3)]);
  expect(told).toEqual(Array.from({ length: BUCKETS_MAX }, () => 3));
  const { loss, gradient } = assembly.result();
  expect([loss, gradient[0], gradient[10_000], gradient[189_999], gradient[190_000]]).toEqual([7, 1, 2, 2, 3]);
});
