import { expect, test } from "vitest";
import { exponentialOf, normalOf, philox, Random } from "../../../src/base/random.ts";
import { random } from "../../../src/compute/compiler/graph.ts";
import { testDevices } from "../compiler/devices.ts";

/** Enough that every device computes several elements an invocation. */
const COUNT = 80_000;

/** -ln u and the sine in float64, from the same midpoints. */
function idealNormal(first: number, second: number): number {
  const size = Math.sqrt(2 * idealExponential(first));
  const angle = ((second * 2 + 1) % 2 ** 32) / 2 ** 32;
  return (second >= 2 ** 31 ? -1 : 1) * size * Math.sin((angle * Math.PI) / 2);
}

function idealExponential(first: number): number {
  const odd = first % 2 === 0 ? first + 1 : first;
  return odd > 2 ** 31 ? -Math.log1p(-(2 ** 32 - odd) / 2 ** 32) : -Math.log(odd / 2 ** 32);
}

/** Words where a leading bit, a shift or a wrap changes, and random ones. */
function wordPairs(seed: number): [number, number][] {
  const stream = new Random(seed);
  const edges = [0, 1, 2 ** 31 - 1, 2 ** 31, 2 ** 31 + 1];
  for (let power = 1; power <= 32; power++)
    for (const off of [-2, -1, 0, 1, 2]) edges.push((2 ** power + off) % 2 ** 32);
  for (let power = 1; power <= 32; power++) for (const off of [1, 2, 3]) edges.push((2 ** 32 - 2 ** power + off) % 2 ** 32); // prettier-ignore
  const pairs = edges.flatMap((first): [number, number][] => edges.map((second) => [first, second]));
  for (let i = 0; i < 100_000; i++) pairs.push([stream.uint32(), stream.uint32()]);
  return pairs;
}

/** Distance in units of the last of 24 bits, or of 2^-28 where those are finer. */
function unitsApart(found: number, ideal: number): number {
  const unit = Math.max(2 ** -28, 2 ** (Math.floor(Math.log2(Math.abs(ideal))) - 23));
  return Math.abs(found - ideal) / unit;
}

test("normal numbers are Box and Muller's to their last bits, float32 and never 0 (seed 7)", () => {
  let bulk = 0;
  let all = 0;
  for (const [first, second] of wordPairs(7)) {
    const found = normalOf(first, second);
    const ideal = idealNormal(first, second);
    if (found !== Math.fround(found) || found === 0) expect.fail(`${found} of ${first} and ${second}`);
    all = Math.max(all, unitsApart(found, ideal));
    if (Math.abs(ideal) > 2 ** -4) bulk = Math.max(bulk, unitsApart(found, ideal));
  }
  // Half a unit is the rounding; some 30 fixed-point steps, the coarsest of 2^-28, add one or two, and more near 0.
  expect(bulk).toBeLessThan(3);
  expect(all).toBeLessThan(12);
});

test("exponential numbers are -ln u to their last bit, float32 and positive (seed 8)", () => {
  for (const [first] of wordPairs(8)) {
    const found = exponentialOf(first);
    const ideal = idealExponential(first);
    expect(found).toBe(Math.fround(found));
    // A unit of 24 bits is 2^-23 of a number at most; half of it is the rounding.
    if (!(Math.abs(found / ideal - 1) < 1.2 * 2 ** -24 * 2)) expect.fail(`${found} for ${ideal}`);
  }
});

test("normal numbers reach beyond 6 sigma on both sides", () => {
  expect(normalOf(0, 2 ** 31 - 1)).toBeCloseTo(6.66, 2);
  expect(normalOf(1, 2 ** 32 - 1)).toBeCloseTo(-6.66, 2);
});

for (const { name, missing, open } of testDevices) {
  const reason = missing === undefined ? "" : ` (skipped: ${missing})`;
  for (const distribution of ["bits", "normal", "exponential"] as const) {
    test.skipIf(missing !== undefined)(
      `random ${distribution} on ${name} is the host's, bit for bit${reason}`,
      async () => {
        const runtime = await open();
        for (const seed of [1, 2 ** 32 - 1]) {
          const key = Uint32Array.of(seed, 17);
          const node = random(runtime.leaf([2], "uint32", key), [COUNT], distribution);
          const [bytes] = await runtime.read([node]);
          const found = distribution === "bits" ? new Uint32Array(bytes?.buffer ?? []) : new Float32Array(bytes?.buffer ?? []); // prettier-ignore
          const expected = found.map((_, i) => {
            const [first, second] = philox([i, 0, 0, 0], [seed, 17]);
            if (distribution === "bits") return first;
            return distribution === "normal" ? normalOf(first, second) : exponentialOf(first);
          });
          expect(found.length).toBe(COUNT);
          expect(Buffer.from(found.buffer).equals(Buffer.from(expected.buffer))).toBe(true);
        }
      },
    );
  }
}
