import { describe, expect, test } from "vitest";
import { bytesOf } from "../../../src/base/bytes.ts";
import { CorruptDataError, HearthError, OptionError } from "../../../src/base/errors.ts";
import { Random } from "../../../src/base/random.ts";
import { ALGORITHMS } from "../../../src/network/collectives/algorithms.ts";
import type { AlgorithmName } from "../../../src/network/collectives/algorithms.ts";
import type { Codec } from "../../../src/network/collectives/codecs/codec.ts";
import { withErrorFeedback } from "../../../src/network/collectives/codecs/error-feedback.ts";
import { float16Codec } from "../../../src/network/collectives/codecs/float16.ts";
import { powerSgdCodec } from "../../../src/network/collectives/codecs/power-sgd.ts";
import { int4Codec, int8Codec } from "../../../src/network/collectives/codecs/quantized.ts";
import { topKCodec } from "../../../src/network/collectives/codecs/top-k.ts";
import type { ReduceOptions } from "../../../src/network/collectives/group-verbs.ts";
import { ranksOf } from "../../../src/network/collectives/program.ts";
import { swarm } from "../support/swarm.ts";

const SEED = 20_260_305;
const PLACE = { operation: 1, rank: 0, chunk: 0, isOwn: true };
type Floats = Float32Array<ArrayBuffer>;

const CODECS: readonly [name: string, make: () => Codec][] = [
  ["float16", () => float16Codec],
  ["int8", int8Codec],
  ["int4", int4Codec],
  ["top-k", () => withErrorFeedback(topKCodec(0.25))],
  ["PowerSGD", () => withErrorFeedback(powerSgdCodec(2))],
];

function normals(rank: number, length: number): Floats {
  const random = new Random(SEED, rank, length);
  return Float32Array.from({ length }, () => random.normal());
}

let operations = 0;
const options = (more: Partial<ReduceOptions>): ReduceOptions => ({
  operation: (operations += 1),
  category: "gradients",
  deadlineMs: 60_000,
  ...more,
});

describe.each(CODECS)("%s", (_, make) => {
  test("keeps lengths, and refuses what it did not pack", () => {
    const codec = make();
    for (const length of [0, 1, 2, 63, 64, 65, 1_000]) {
      const bytes = codec.encode(normals(0, length), PLACE);
      expect(codec.decode(bytes).length).toBe(length);
      if (bytes.byteLength > 0) expect(() => codec.decode(bytes.slice(0, -1))).toThrow(CorruptDataError);
    }
    const random = new Random(SEED, "noise");
    for (let count = 0; count < 300; count++) {
      const noise = Uint8Array.from({ length: random.below(100) }, () => (random.below(3) > 0 ? 0 : random.below(256)));
      try {
        codec.decode(noise);
      } catch (error) {
        expect(error).toBeInstanceOf(HearthError);
      }
    }
  });

  test("gives all ranks the same bits by every program, and leaves inputs as they are", async () => {
    for (const size of [1, 2, 3, 5, 8]) {
      const all = await swarm(size, SEED);
      const groups = all.groups(1);
      for (const algorithm of Object.keys(ALGORITHMS["all-reduce"]) as AlgorithmName[]) {
        const inputs = ranksOf(size).map((rank) => normals(rank, 333));
        const common = options({ algorithm });
        const sums = await all.run(
          Promise.all(
            groups.map((group) => group.allReduce(inputs[group.rank] as Floats, { ...common, codec: make() })),
          ),
        );
        for (const sum of sums) expect(bytesOf(sum), `${algorithm} of ${size}`).toEqual(bytesOf(sums[0] as Floats));
        expect(inputs).toEqual(ranksOf(size).map((rank) => normals(rank, 333)));
      }
    }
  });

  test("packs what all other verbs send, and all ranks agree on what they have", async () => {
    const size = 4;
    const all = await swarm(size, SEED);
    const groups = all.groups(1);
    const bounds = ranksOf(size + 1).map((rank) => 50 * rank);
    const each = async <T>(verb: (group: (typeof groups)[number], codec: Codec) => Promise<T>): Promise<T[]> =>
      all.run(Promise.all(groups.map((group) => verb(group, make()))));
    const [a, b, c, d] = [options({}), options({ algorithm: "double-tree" }), options({}), options({})];
    const wholes = await each((group, codec) =>
      group.allGather(
        bytesOf(normals(group.rank, 50)),
        bounds.map((at) => 4 * at),
        { ...a, codec },
      ),
    );
    for (const whole of wholes) expect(whole).toEqual(wholes[0]);
    const casts = await each((group, codec) =>
      group.broadcast(2, group.rank === 2 ? bytesOf(normals(2, 501)) : null, { ...b, codec }),
    );
    for (const cast of casts) expect(cast).toEqual(casts[0]);
    const shares = await each((group, codec) =>
      group.reduceScatter(normals(group.rank, 200), bounds, ranksOf(size), { ...c, codec }),
    );
    expect(shares.map((share) => share.length)).toEqual([50, 50, 50, 50]);
    const parts = await each((group, codec) =>
      group.allToAll(
        ranksOf(size).map((to) => bytesOf(normals(to, 20))),
        { ...d, codec },
      ),
    );
    expect(parts.flat().map((part) => part.byteLength)).toEqual(new Array(16).fill(80));
  });
});

test("a quantised sum is near the sum, by its blocks' scales", async () => {
  const size = 4;
  const all = await swarm(size, SEED);
  const groups = all.groups(1);
  const length = 4_096;
  const inputs = ranksOf(size).map((rank) => normals(rank, length));
  const exact = inputs.reduce((sum, input) => sum.map((value, at) => value + (input[at] as number)));
  for (const [codec, levels] of [
    [int8Codec(), 127],
    [int4Codec(), 7],
  ] as const) {
    const common = options({ codec });
    const sums = await all.run(
      Promise.all(groups.map((group) => group.allReduce(normals(group.rank, length), common))),
    );
    const largest = Math.max(
      ...exact.map(Math.abs),
      ...ranksOf(size).flatMap((rank) => [...normals(rank, length)].map(Math.abs)),
    );
    // n-1 contributions and the sum are each rounded by less than one step of the largest scale.
    const tolerance = (size * largest) / levels;
    const errors = (sums[0] as Floats).map((value, at) => value - (exact[at] as number));
    expect(errors.reduce((most, error) => Math.max(most, Math.abs(error)), 0)).toBeLessThan(tolerance);
    const drift = errors.reduce((sum, error) => sum + error, 0);
    // The mean of 4,096 roundings at random, each of at most a step: within 5 standard deviations.
    expect(Math.abs(drift / length)).toBeLessThan((5 * tolerance) / Math.sqrt(length));
  }
});

test("sizes on the wire are 2 bytes, 1 and a 16th, a half and a 16th", () => {
  const values = normals(0, 64_000);
  expect(float16Codec.encode(values, PLACE).byteLength).toBe(128_000);
  expect(int8Codec().encode(values, PLACE).byteLength).toBe(4 + 64_000 + 4_000);
  expect(int4Codec().encode(values, PLACE).byteLength).toBe(4 + 32_000 + 4_000);
  expect(topKCodec(0.01).encode(values, PLACE).byteLength).toBe(8 + 640 * 8);
  expect(powerSgdCodec(4).encode(values, PLACE).byteLength).toBe(8 + 4 * 4 * (253 + 253));
});

test("PowerSGD of a higher rank than the values have gives them back, and nothing twice", () => {
  const codec = powerSgdCodec(2);
  for (const length of [4, 9, 100, 203]) {
    const values = new Float32Array(length).fill(1.5);
    for (let time = 0; time < 3; time++) {
      for (const value of codec.decode(codec.encode(values, PLACE))) expect(value).toBeCloseTo(1.5, 4);
    }
  }
});

test("quantising what is not finite gives NaN in its block, and touches no other", () => {
  const values = new Float32Array(130).fill(1);
  values[70] = Infinity;
  const got = int8Codec().decode(int8Codec().encode(values, PLACE));
  expect([got[63], Number.isNaN(got[64]), Number.isNaN(got[127]), got[128]]).toEqual([1, true, true, 1]);
  expect(topKCodec(0.01).decode(topKCodec(0.01).encode(Float32Array.of(5, Number.NaN, 7), PLACE))[1]).toBeNaN();
});

test.each([
  ["top-k", () => withErrorFeedback(topKCodec(0.1))],
  ["PowerSGD", () => withErrorFeedback(powerSgdCodec(1))],
] as const)("with error feedback %s loses nothing over many operations", (_, make) => {
  const codec = make();
  const value = normals(3, 400);
  const total = new Float32Array(400);
  const rounds = 300;
  for (let operation = 0; operation < rounds; operation++) {
    const sent = codec.decode(codec.encode(value, { ...PLACE, operation }));
    // Done again after a failure: the same bytes.
    if (operation % 50 === 0 && _ === "top-k")
      expect(codec.decode(codec.encode(value, { ...PLACE, operation }))).toEqual(sent);
    sent.forEach((one, at) => (total[at] = (total[at] as number) + one));
  }
  const error = total.map((one, at) => one / rounds - (value[at] as number));
  expect(Math.hypot(...error) / Math.hypot(...value)).toBeLessThan(0.12);
});

test("wrong arguments of codecs are refused", () => {
  expect(() => topKCodec(0)).toThrow(OptionError);
  expect(() => powerSgdCodec(0.5)).toThrow(OptionError);
});
