import fc from "fast-check";
import { expect, test } from "vitest";
import { OptionError } from "../../../../src/base/errors.ts";
import { Random } from "../../../../src/base/random.ts";
import { feistelOrder, permutation } from "../../../../src/model/data/dataset/permutation.ts";
import {
  RandomSampler,
  SubsetRandomSampler,
  WeightedRandomSampler,
} from "../../../../src/model/data/loader/samplers.ts";
import type { Sampler } from "../../../../src/model/data/loader/samplers.ts";

const SEED = 20_260_413;

function drawn(sampler: Sampler, epoch = 0): number[] {
  const order = sampler.order(epoch);
  return Array.from({ length: sampler.length }, (_, place) => order(place));
}

test("an order without a table has every number once", () => {
  const check = fc.property(fc.integer({ min: 1, max: 3_000 }), fc.nat(), (length, seed) => {
    const order = feistelOrder(length, new Random(seed));
    const numbers = Array.from({ length }, (_, place) => order(place));
    expect(new Set(numbers).size).toBe(length);
    expect(Math.min(...numbers)).toBe(0);
    expect(Math.max(...numbers)).toBe(length - 1);
  });
  fc.assert(check, { numRuns: 60, seed: SEED });
});

test("an order of a trillion numbers is had one place at a time, evenly spread", () => {
  const length = 1e12;
  const order = permutation(length, "large");
  const numbers = Array.from({ length: 10_000 }, (_, place) => order(place));
  expect(numbers.every((number) => Number.isInteger(number) && number >= 0 && number < length)).toBe(true);
  expect(new Set(numbers).size).toBe(numbers.length);
  const mean = numbers.reduce((sum, number) => sum + number / length, 0) / numbers.length;
  // The standard deviation of the mean of 10,000 uniform numbers is 0.0029: four of them.
  expect(Math.abs(mean - 0.5)).toBeLessThan(0.0116);
  expect(() => permutation(2 ** 53, 0)).toThrow(OptionError);
});

test("neighbours in a long order are far from each other", () => {
  const length = 100_000;
  const order = permutation(length, 3);
  let near = 0;
  for (let place = 0; place + 1 < 20_000; place++) if (Math.abs(order(place) - order(place + 1)) <= 50) near += 1;
  // By chance one in a thousand is so near: 20 expected, and ten standard deviations are 45.
  expect(near).toBeLessThan(65);
});

test("every order of four is as frequent as any other", () => {
  const counts = new Map<string, number>();
  const runs = 4_800;
  for (let seed = 0; seed < runs; seed++) {
    const order = permutation(4, seed);
    const key = [0, 1, 2, 3].map(order).join("");
    counts.set(key, (counts.get(key) ?? 0) + 1);
  }
  expect(counts.size).toBe(24);
  // Of 200 expected, the standard deviation is 14: five of them.
  for (const count of counts.values()) expect(Math.abs(count - 200)).toBeLessThan(70);
});

test("random draws: without replacement a part of the order, with it independent", () => {
  const order = drawn(new RandomSampler(10, { seed: 5 }));
  expect(drawn(new RandomSampler(10, { seed: 5, numSamples: 4 }))).toEqual(order.slice(0, 4));
  const repeated = drawn(new RandomSampler(10, { seed: 5, replacement: true, numSamples: 2_000 }));
  expect(new Set(repeated).size).toBe(10);
  expect(() => new RandomSampler(3, { numSamples: 4 })).toThrow(/from 3 examples without replacement, found 4/);
  expect(drawn(new SubsetRandomSampler([20, 30, 40])).sort((a, b) => a - b)).toEqual([20, 30, 40]);
});

test("weighted draws are as frequent as their weights", () => {
  const weights = [1, 0, 3, 6];
  const draws = 20_000;
  const counts = [0, 0, 0, 0];
  for (const index of drawn(new WeightedRandomSampler(weights, draws, { seed: 1 })))
    counts[index] = (counts[index] ?? 0) + 1;
  weights.forEach((weight, index) => {
    const expected = (draws * weight) / 10;
    // Five standard deviations of a binomial count.
    expect(Math.abs((counts[index] ?? 0) - expected)).toBeLessThanOrEqual(5 * Math.sqrt(expected * (1 - weight / 10)));
  });
});

test("weighted draws without replacement take no index twice, and none of weight 0", () => {
  const check = fc.property(fc.array(fc.nat(3), { minLength: 1, maxLength: 50 }), fc.nat(), (weights, seed) => {
    const positive = weights.flatMap((weight, index) => (weight > 0 ? [index] : []));
    const sampler = new WeightedRandomSampler(weights, positive.length, { seed, replacement: false });
    expect(drawn(sampler, 2).sort((a, b) => a - b)).toEqual(positive);
  });
  fc.assert(check, { numRuns: 200, seed: SEED });
  expect(() => new WeightedRandomSampler([1, 0], 2, { replacement: false })).toThrow(OptionError);
  expect(() => new WeightedRandomSampler([1, -1], 1)).toThrow(/found -1/);
  expect(() => new WeightedRandomSampler([0], 1)).toThrow(OptionError);
});
