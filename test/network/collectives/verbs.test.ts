/** Every verb by every program against the direct sum, for many sizes, types, operators and lengths. */
import { describe, expect, test } from "vitest";
import { bytesOf } from "../../../src/base/bytes.ts";
import type { Bytes } from "../../../src/base/bytes.ts";
import { OptionError } from "../../../src/base/errors.ts";
import { encodeFloat16 } from "../../../src/base/float16.ts";
import { Random } from "../../../src/base/random.ts";
import { ALGORITHMS } from "../../../src/network/collectives/algorithms.ts";
import type { AlgorithmName } from "../../../src/network/collectives/algorithms.ts";
import type { Group } from "../../../src/network/collectives/group.ts";
import type { ReduceOptions } from "../../../src/network/collectives/group-verbs.ts";
import { countProgram } from "../../../src/network/collectives/count-program.ts";
import { evenLayout } from "../../../src/network/collectives/layout.ts";
import { HEADER_BYTES } from "../../../src/network/wire/frame.ts";
import type { Program } from "../../../src/network/collectives/program.ts";
import { ranksOf } from "../../../src/network/collectives/program.ts";
import { ringAllReduce } from "../../../src/network/collectives/programs/ring.ts";
import { swarm } from "../support/swarm.ts";
import type { Swarm } from "../support/swarm.ts";

const SEED = 20_260_301;
const SIZES = [1, 2, 3, 4, 5, 7, 8, 16];
const LENGTHS = [0, 1, 7, 1_001];

let operations = 0;

function next(more: Partial<ReduceOptions> = {}): ReduceOptions {
  return { operation: (operations += 1), category: "gradients", deadlineMs: 60_000, ...more };
}

function integers(rank: number, length: number): Int32Array<ArrayBuffer> {
  const random = new Random(SEED, rank, length);
  return Int32Array.from({ length }, () => random.uint32() | 0);
}

/** Small whole numbers: every order of adding them up gives the same float32. */
function floats(rank: number, length: number): Float32Array<ArrayBuffer> {
  return Float32Array.from(integers(rank, length), (value) => value % 1_000);
}

function some(rank: number, length: number): Bytes {
  return Uint8Array.from({ length }, (_, at) => (at * 7 + rank * 31) & 0xff);
}

async function each<T>({ run }: Swarm, groups: readonly Group[], verb: (group: Group) => Promise<T>): Promise<T[]> {
  return run(Promise.all(groups.map(verb)));
}

/** Ranks in two groups, for two-level programs. */
function near(size: number): number[][] {
  const half = Math.max(1, Math.floor(size / 2));
  return [ranksOf(half), ranksOf(size).slice(half)].filter((group) => group.length > 0);
}

const names = (verb: keyof typeof ALGORITHMS): AlgorithmName[] => Object.keys(ALGORITHMS[verb]) as AlgorithmName[];

describe.each(SIZES)("among %i", (size) => {
  test("an all-reduce is the sum, by every program", async () => {
    const all = await swarm(size, SEED);
    const groups = all.groups(1, { near: near(size) });
    for (const algorithm of names("all-reduce")) {
      for (const length of LENGTHS) {
        const inputs = ranksOf(size).map((rank) => integers(rank, length));
        const before = inputs.map((input) => input.slice());
        const options = next({ algorithm });
        const sums = await each(all, groups, (group) =>
          group.allReduce(inputs[group.rank] as Int32Array<ArrayBuffer>, options),
        );
        const expected = Int32Array.from({ length }, (_, at) =>
          inputs.reduce((sum, input) => (sum + (input[at] as number)) | 0, 0),
        );
        for (const sum of sums) expect(sum, `${algorithm}, ${length}`).toEqual(expected);
        expect(inputs).toEqual(before);
      }
    }
  });

  test("a reduce-scatter and an all-gather, by every program", async () => {
    const all = await swarm(size, SEED);
    const groups = all.groups(1);
    const bounds = ranksOf(size + 1).map((rank) => rank * (rank - 1) * 3);
    const length = bounds[size] as number;
    const sum = Float32Array.from({ length }, (_, at) =>
      ranksOf(size).reduce((total, rank) => total + (floats(rank, length)[at] as number), 0),
    );
    for (const algorithm of names("reduce-scatter")) {
      const options = next({ algorithm });
      const shares = await each(all, groups, (group) =>
        group.reduceScatter(floats(group.rank, length), bounds, ranksOf(size), options),
      );
      shares.forEach((share, rank) => expect(share, algorithm).toEqual(sum.slice(bounds[rank], bounds[rank + 1])));
      const gather = next({ algorithm });
      const wholes = await each(all, groups, (group) =>
        group.allGather(
          bytesOf(shares[group.rank] as Float32Array<ArrayBuffer>),
          bounds.map((at) => at * 4),
          gather,
        ),
      );
      for (const whole of wholes) expect(whole).toEqual(bytesOf(sum));
    }
  });

  test("broadcast, reduce, scatter and gather, by every program and from another root", async () => {
    const all = await swarm(size, SEED);
    const groups = all.groups(1);
    const root = size >> 1;
    for (const algorithm of names("broadcast")) {
      for (const length of [0, 1, 1_003]) {
        const options = next({ algorithm });
        const got = await each(all, groups, (group) =>
          group.broadcast(root, group.rank === root ? some(9, length) : null, options),
        );
        for (const bytes of got) expect(bytes).toEqual(some(9, length));
      }
    }
    for (const algorithm of names("reduce")) {
      const options = next({ algorithm, operator: "max" });
      const got = await each(all, groups, (group) => group.reduce(root, integers(group.rank, 77), options));
      const expected = Int32Array.from({ length: 77 }, (_, at) =>
        Math.max(...ranksOf(size).map((rank) => integers(rank, 77)[at] as number)),
      );
      got.forEach((result, rank) => expect(result).toEqual(rank === root ? expected : null));
    }
    const parts = ranksOf(size).map((rank) => some(rank, rank * 5));
    for (const algorithm of names("scatter")) {
      const [there, back] = [next({ algorithm }), next({ algorithm })];
      const got = await each(all, groups, (group) => group.scatter(root, group.rank === root ? parts : null, there));
      expect(got).toEqual(parts);
      const gathered = await each(all, groups, (group) => group.gather(root, got[group.rank] as Bytes, back));
      gathered.forEach((result, rank) => expect(result).toEqual(rank === root ? parts : null));
    }
  });

  test("an all-to-all of any sizes, by every program", async () => {
    const all = await swarm(size, SEED);
    const groups = all.groups(1);
    for (const algorithm of names("all-to-all")) {
      const options = next({ algorithm });
      const part = (from: number, to: number): Bytes => some(from + 3 * to, (from * to) % 6);
      const got = await each(all, groups, (group) =>
        group.allToAll(
          ranksOf(size).map((to) => part(group.rank, to)),
          options,
        ),
      );
      got.forEach((parts, to) => expect(parts).toEqual(ranksOf(size).map((from) => part(from, to))));
    }
  });
});

describe("numbers", () => {
  const OPERATORS = {
    sum: (values: number[]) => values.reduce((a, b) => a + b),
    mean: (values: number[]) => values.reduce((a, b) => a + b) / values.length,
    max: (values: number[]) => Math.max(...values),
    min: (values: number[]) => Math.min(...values),
    product: (values: number[]) => values.reduce((a, b) => a * b),
  };

  test.each(["sum", "mean", "max", "min", "product"] as const)("%s of four ranks in every type", async (operator) => {
    const all = await swarm(4, SEED);
    const groups = all.groups(1);
    // Small enough that every type holds each result exactly.
    const value = (rank: number, at: number): number => ((rank * 3 + at) % 5) - 2;
    const expected = ranksOf(40).map((at) => OPERATORS[operator](ranksOf(4).map((rank) => value(rank, at))));
    const column = (rank: number): number[] => ranksOf(40).map((at) => value(rank, at));
    for (const algorithm of ["direct", "ring", "halving-doubling", "double-tree"] as const) {
      const [a, b, c, d] = [
        next({ algorithm, operator }),
        next({ algorithm, operator }),
        next({ algorithm, operator, type: "float16" }),
        next({ algorithm, operator, type: "bfloat16" }),
      ];
      const bfloat16 = (values: readonly number[]): Uint16Array<ArrayBuffer> =>
        Uint16Array.from(new Uint32Array(Float32Array.from(values).buffer), (bits) => bits >>> 16);
      for (const result of await each(all, groups, (group) =>
        group.allReduce(Float32Array.from(column(group.rank)), a),
      )) {
        expect(result).toEqual(Float32Array.from(expected));
      }
      for (const result of await each(all, groups, (group) =>
        group.allReduce(Int32Array.from(column(group.rank)), b),
      )) {
        expect(result).toEqual(Int32Array.from(expected, Math.trunc));
      }
      for (const result of await each(all, groups, (group) => group.allReduce(encodeFloat16(column(group.rank)), c))) {
        expect(Float32Array.from(result)).toEqual(Float32Array.from(encodeFloat16(expected)));
      }
      for (const result of await each(all, groups, (group) => group.allReduce(bfloat16(column(group.rank)), d))) {
        expect(Float32Array.from(result)).toEqual(Float32Array.from(bfloat16(expected)));
      }
    }
  });

  test("an array that does not hold the type is refused, and so is a program for another size", async () => {
    const all = await swarm(2, SEED);
    const [group] = all.groups(1) as [Group, Group];
    await expect(group.allReduce(new Uint16Array(2), next())).rejects.toThrow(OptionError);
    await expect(group.allReduce(new Float32Array(2), next({ type: "int32" }))).rejects.toThrow(OptionError);
    await expect(group.allReduce(new Float32Array(2), next({ algorithm: ringAllReduce(3) }))).rejects.toThrow(
      /for 2 ranks, found 3/,
    );
    await expect(group.allReduce(new Float32Array(2), next({ algorithm: "pairwise" }))).rejects.toThrow(
      /expected one of direct, one-shot, ring/,
    );
  });
});

test("a program of one's own runs like the built-in ones", async () => {
  const all = await swarm(3, SEED);
  const options = next({ algorithm: ringAllReduce(3) });
  const sums = await each(all, all.groups(1), (group) => group.allReduce(floats(group.rank, 10), options));
  const expected = Float32Array.from({ length: 10 }, (_, at) =>
    ranksOf(3).reduce((sum, rank) => sum + (floats(rank, 10)[at] as number), 0),
  );
  for (const sum of sums) expect(sum).toEqual(expected);
});

test("large buffers go in slices, and their sums are right", async () => {
  const all = await swarm(3, SEED, { network: { bytesPerMs: 100_000 } });
  const groups = all.groups(1);
  const length = 900_001;
  const expected = ranksOf(3)
    .map((rank) => floats(rank, length))
    .reduce((sum, values) => sum.map((value, at) => value + (values[at] as number)));
  for (const algorithm of ["ring", "direct", "double-tree"] as const) {
    const options = next({ algorithm });
    const sums = await each(all, groups, (group) => group.allReduce(floats(group.rank, length), options));
    for (const sum of sums) expect(Buffer.compare(bytesOf(sum), bytesOf(expected)), algorithm).toBe(0);
  }
});

test("unequal shares and another ring order change no sum", async () => {
  const all = await swarm(4, SEED);
  const groups = all.groups(1, { shares: [0.1, 0.4, 0, 0.5], ringOrder: [2, 0, 3, 1] });
  const expected = Float32Array.from({ length: 501 }, (_, at) =>
    ranksOf(4).reduce((sum, rank) => sum + (floats(rank, 501)[at] as number), 0),
  );
  for (const algorithm of ["direct", "ring"] as const) {
    const options = next({ algorithm });
    for (const sum of await each(all, groups, (group) => group.allReduce(floats(group.rank, 501), options))) {
      expect(sum).toEqual(expected);
    }
  }
});

test("what goes over the links is what a program's count says: its bytes, and a header a message", async () => {
  for (const size of [2, 3, 4, 7, 8]) {
    const all = await swarm(size, SEED);
    const groups = all.groups(1, { near: near(size) });
    const length = 840 * size;
    for (const algorithm of names("all-reduce")) {
      const sent = (): number => all.muxes.reduce((sum, mux) => sum + mux.bytesSent().gradients, 0);
      const before = sent();
      const options = next({ algorithm });
      await each(all, groups, (group) => group.allReduce(floats(group.rank, length), options));
      const program = ALGORITHMS["all-reduce"][algorithm]?.({ size, root: 0, groups: near(size) }) as Program;
      const { bounds } = evenLayout(length, program.chunks, 4);
      const count = countProgram(program, (chunk) => (bounds[chunk + 1] ?? 0) - (bounds[chunk] ?? 0));
      expect(sent() - before, `${algorithm} of ${size}`).toBe(count.bytes + HEADER_BYTES * count.messages);
    }
  }
});
