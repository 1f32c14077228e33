import { describe, expect, test } from "vitest";
import { ALGORITHMS, contractOf } from "../../../src/network/collectives/algorithms.ts";
import type { AlgorithmName, ProgramRequest, Verb } from "../../../src/network/collectives/algorithms.ts";
import { checkProgram } from "../../../src/network/collectives/check-program.ts";
import {
  allReduceContract,
  barrierContract,
  exchangeContract,
  reduceScatterContract,
} from "../../../src/network/collectives/contracts.ts";
import { countProgram } from "../../../src/network/collectives/count-program.ts";
import { begin, missingRanks, step } from "../../../src/network/collectives/interpreter.ts";
import { planHop, ranksOf, reordered, sliced } from "../../../src/network/collectives/program.ts";
import type { Hop, Program } from "../../../src/network/collectives/program.ts";
import {
  directAllGather,
  directReduceScatter,
  sparseExchange,
} from "../../../src/network/collectives/programs/direct.ts";
import { ringAllReduce, ringReduceScatter } from "../../../src/network/collectives/programs/ring.ts";
import { disseminationBarrier } from "../../../src/network/collectives/programs/tree.ts";
import { twoLevelAllReduce } from "../../../src/network/collectives/programs/two-level.ts";
import { compileRank } from "../../../src/network/collectives/rank-program.ts";
import { Random } from "../../../src/base/random.ts";

const SEED = 20_260_104;
const SIZES = ranksOf(33).map((at) => at + 1);

/** [verb, name] of all that is built in. */
const BUILT_IN = Object.entries(ALGORITHMS).flatMap(([verb, makers]) =>
  Object.keys(makers).map((name) => [verb as Verb, name as AlgorithmName] as const),
);

function make(verb: Verb, name: AlgorithmName, request: ProgramRequest): Program {
  const maker = ALGORITHMS[verb][name];
  if (maker === undefined) throw new TypeError(`no ${name} for ${verb}`);
  return maker(request);
}

/** A root and groups of uneven sizes, by chance. */
function requestOf(size: number): ProgramRequest {
  const random = new Random(SEED, "request", size);
  const groups = new Map<number, number[]>();
  for (const rank of random.shuffle(ranksOf(size))) {
    const near = random.below(1 + Math.ceil(size / 4));
    groups.set(near, [...(groups.get(near) ?? []), rank]);
  }
  return { size, root: random.below(size), groups: [...groups.values()] };
}

describe.each(BUILT_IN)("%s, %s", (verb, name) => {
  test("keeps its contract for 1 to 33 ranks", () => {
    for (const size of SIZES) {
      const request = requestOf(size);
      const program = make(verb, name, request);
      expect(checkProgram(program, contractOf(verb, request, program.chunks))).toEqual([]);
    }
  });

  test("keeps its contract in slices", () => {
    if (verb === "all-to-all") return;
    for (const size of [1, 2, 5, 8]) {
      const request = requestOf(size);
      const program = sliced(make(verb, name, request), 3);
      expect(checkProgram(program, contractOf(verb, request, program.chunks))).toEqual([]);
    }
  });
});

test("a barrier lets no rank through before it has heard, through others, from all", () => {
  for (const size of SIZES) expect(checkProgram(disseminationBarrier(size), barrierContract(size))).toEqual([]);
});

test("a direct reduce-scatter adds up only what contributors give", () => {
  for (const size of SIZES.slice(0, 12)) {
    const random = new Random(SEED, "contributors", size);
    const contributors = ranksOf(size).filter(() => random.below(2) === 0);
    const program = directReduceScatter(size, contributors);
    expect(checkProgram(program, reduceScatterContract(size, size, contributors))).toEqual([]);
  }
});

test("a sparse exchange delivers exactly its edges", () => {
  for (const size of SIZES.slice(0, 12)) {
    const random = new Random(SEED, "edges", size);
    const edges = ranksOf(size * size)
      .map((at) => ({ from: Math.floor(at / size), to: at % size }))
      .filter(({ from, to }) => from !== to && random.below(2) === 0);
    expect(checkProgram(sparseExchange("exchange", size, edges), exchangeContract(size, edges))).toEqual([]);
  }
});

test("a ring in any order keeps its contract, and sends along that order", () => {
  const order = [3, 0, 4, 2, 1];
  const program = reordered(ringReduceScatter(5), order, "chunks");
  expect(checkProgram(program, reduceScatterContract(5))).toEqual([]);
  expect(new Set(program.hops.flatMap((hop) => hop(4).sends.map(({ to }) => to)))).toEqual(new Set([2]));
  expect(checkProgram(reordered(ringAllReduce(5), order, "ranks"), allReduceContract(5))).toEqual([]);
});

/** Messages, bytes in buffers, and hops: the table in docs/network.md. */
type Form = (n: number) => readonly [messages: number, buffers: number, hops: number];

const log = (n: number): number => Math.ceil(Math.log2(n));
const power = (n: number): number => 2 ** Math.floor(Math.log2(n));
const rest = (n: number): number => n - power(n);
const folds = (n: number): number => (rest(n) > 0 ? 1 : 0);
const height = (n: number): number => (n === 1 ? 0 : Math.floor(Math.log2(n - 1)) + 1);
const ones = (n: number): number => ranksOf(n).reduce((sum, q) => sum + q.toString(2).replaceAll("0", "").length, 0);

const CLOSED_FORMS: Readonly<Record<string, Form>> = {
  "all-reduce one-shot": (n) => [n * (n - 1), n * (n - 1), n > 1 ? 1 : 0],
  "all-reduce direct": (n) => [2 * n * (n - 1), 2 * (n - 1), n > 1 ? 2 : 0],
  "all-reduce ring": (n) => [2 * n * (n - 1), 2 * (n - 1), 2 * (n - 1)],
  "all-reduce halving-doubling": (n) => [2 * power(n) * (n - 1), 2 * (n - 1), 2 * Math.log2(power(n)) + 2 * folds(n)],
  "all-reduce tree": (n) => [2 * (n - 1), 2 * (n - 1), 2 * log(n)],
  "all-reduce double-tree": (n) => [4 * (n - 1), 2 * (n - 1), 2 * height(n)],
  "reduce-scatter direct": (n) => [n * (n - 1), n - 1, n > 1 ? 1 : 0],
  "reduce-scatter ring": (n) => [n * (n - 1), n - 1, n - 1],
  "reduce-scatter halving-doubling": (n) => [
    n * (n - 1) + rest(n),
    n - 1 + rest(n) / n,
    Math.log2(power(n)) + 2 * folds(n),
  ],
  "all-gather direct": (n) => [n * (n - 1), n - 1, n > 1 ? 1 : 0],
  "all-gather ring": (n) => [n * (n - 1), n - 1, n - 1],
  "all-gather halving-doubling": (n) => [n * (n - 1), n - 1, Math.log2(power(n)) + 2 * folds(n)],
  "broadcast tree": (n) => [n - 1, n - 1, log(n)],
  "broadcast direct": (n) => [n - 1, n - 1, n > 1 ? 1 : 0],
  "broadcast ring": (n) => [n - 1, n - 1, n - 1],
  "reduce direct": (n) => [n - 1, n - 1, n > 1 ? 1 : 0],
  "reduce ring": (n) => [n - 1, n - 1, n - 1],
  "reduce tree": (n) => [n - 1, n - 1, log(n)],
  "scatter direct": (n) => [n - 1, (n - 1) / n, n > 1 ? 1 : 0],
  "scatter tree": (n) => [ones(n), ones(n) / n, log(n)],
  "gather direct": (n) => [n - 1, (n - 1) / n, n > 1 ? 1 : 0],
  "gather tree": (n) => [ones(n), ones(n) / n, log(n)],
  "all-to-all pairwise": (n) => [n * (n - 1), (n - 1) / n, n - 1],
  "all-to-all direct": (n) => [n * (n - 1), (n - 1) / n, n > 1 ? 1 : 0],
};

test.each(Object.entries(CLOSED_FORMS))("%s costs what its closed form says, for 1 to 33 ranks", (key, form) => {
  const at = key.indexOf(" ");
  for (const size of SIZES) {
    const program = make(key.slice(0, at) as Verb, key.slice(at + 1) as AlgorithmName, { ...requestOf(size), size });
    const count = countProgram(program, () => 1 / program.chunks);
    const [messages, buffers, hops] = form(size);
    expect(count.messages, `${key} of ${size}`).toBe(messages);
    expect(count.bytes, `${key} of ${size}`).toBeCloseTo(buffers, 9);
    expect(count.hops, `${key} of ${size}`).toBe(hops);
  }
});

test("double trees for one root send each half n-1 times, in at most one hop more than their height", () => {
  for (const size of SIZES.slice(1)) {
    for (const verb of ["broadcast", "reduce"] as const) {
      const count = countProgram(make(verb, "double-tree", requestOf(size)), () => 0.5);
      expect([count.messages, count.bytes]).toEqual([2 * (size - 1), size - 1]);
      expect(count.hops).toBeLessThanOrEqual(height(size) + 1);
    }
  }
});

test("a two-level all-reduce sends 2(g-1) buffers between g groups, and 2(n-1) in all", () => {
  const groups = [
    [0, 5, 2],
    [1, 3, 4, 6],
    [7, 8, 9],
  ];
  const groupOf = (rank: number): number => groups.findIndex((group) => group.includes(rank));
  const program = twoLevelAllReduce(groups);
  const across = program.hops.flatMap((hop) =>
    ranksOf(10).flatMap((rank) => hop(rank).sends.filter(({ to }) => groupOf(to) !== groupOf(rank))),
  );
  expect(across.length / program.chunks).toBe(2 * (groups.length - 1));
  expect(countProgram(program, () => 1 / program.chunks).bytes).toBeCloseTo(2 * 9);
});

test("every rank of a ring or a direct all-reduce sends the same, 2(n-1)/n of the buffer", () => {
  for (const size of SIZES.slice(1)) {
    for (const name of ["ring", "direct"] as const) {
      const program = make("all-reduce", name, requestOf(size));
      expect(countProgram(program, () => 1 / size).bytesMax).toBeCloseTo((2 * (size - 1)) / size);
    }
  }
});

test("a pairwise all-to-all begins a step when the one before has ended", () => {
  const program = compileRank(make("all-to-all", "pairwise", requestOf(4)), 0);
  const started = step(begin(program), { kind: "start" });
  expect(started.effects.map((effect) => (effect.kind === "send" ? effect.to : -1))).toEqual([1]);
  const next = step(started.state, { kind: "received", from: 3, message: 0 });
  expect(next.effects.flatMap((effect) => (effect.kind === "send" ? [effect.to] : []))).toEqual([2]);
});

test("the checker finds a wrong neighbour, a forgotten hop, a doubled contribution, a deadlock and unequal orders", () => {
  const good = ringAllReduce(4);
  const change = (at: number, alter: (rank: number, hop: Hop) => Hop): Program => ({
    ...good,
    hops: good.hops.map((hop, index) => (index === at ? (rank: number) => alter(rank, hop(rank)) : hop)),
  });
  const everywhere = planHop(3, (plan) => {
    for (const at of ranksOf(3)) plan.reduce(0, [at, (at + 1) % 3, (at + 2) % 3], at);
  });
  const planted: [Program, RegExp][] = [
    [change(2, (rank, hop) => (rank === 1 ? { ...hop, sends: [{ to: 3, chunk: 0 }] } : hop)), /taken for none/],
    [{ ...good, hops: good.hops.slice(1) }, /ends with contributions|taken for/],
    [
      change(2, (rank, hop) => ({
        ...hop,
        writes: hop.writes.map((write) => ({ ...write, from: [...write.from, rank] })),
      })),
      /ends with contributions/,
    ],
    [change(0, (rank, hop) => (rank === 0 ? { ...hop, sends: [] } : hop)), /deadlock|taken for/],
    [change(1, (rank, hop) => (rank === 2 ? { sends: hop.sends, writes: [] } : hop)), /taken for/],
    [{ name: "each for itself", size: 3, chunks: 1, hops: [everywhere] }, /in 3 orders/],
  ];
  for (const [program, fault] of planted) {
    expect(checkProgram(program, allReduceContract(program.size)).join("; ")).toMatch(fault);
  }
});

test("a rank that waits names the ranks it waits for", () => {
  const started = step(begin(compileRank(directAllGather(4), 1)), { kind: "start" }).state;
  expect(missingRanks(started)).toEqual([0, 2, 3]);
  expect(missingRanks(step(started, { kind: "received", from: 2, message: 0 }).state)).toEqual([0, 3]);
});

test("a step changes nothing in the state it is given", () => {
  const state = begin(compileRank(ringAllReduce(3), 0));
  const before = JSON.stringify(state);
  step(step(state, { kind: "start" }).state, { kind: "received", from: 2, message: 0 });
  expect(JSON.stringify(state)).toBe(before);
});
