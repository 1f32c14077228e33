/** Choosing by cost: simulated times, ring orders, unequal shares, and what groups make of them. */
import { expect, test } from "vitest";
import { Random } from "../../../src/base/random.ts";
import { uniformMatrix } from "../../../src/network/collectives/cost/link-matrix.ts";
import type { LinkMatrix } from "../../../src/network/collectives/cost/link-matrix.ts";
import { linkShares } from "../../../src/network/collectives/cost/link-shares.ts";
import { measureLinks, operationsOfMeasuring } from "../../../src/network/collectives/cost/measure-links.ts";
import {
  bottleneckMs,
  exactOrder,
  ringOrder,
  searchedOrder,
} from "../../../src/network/collectives/cost/ring-order.ts";
import { Selection } from "../../../src/network/collectives/cost/selection.ts";
import { simulatedMs } from "../../../src/network/collectives/cost/simulate-program.ts";
import { ranksOf, sliced } from "../../../src/network/collectives/program.ts";
import { directAllReduce } from "../../../src/network/collectives/programs/direct.ts";
import { ringAllReduce } from "../../../src/network/collectives/programs/ring.ts";
import { binomialBroadcast } from "../../../src/network/collectives/programs/tree.ts";
import { Group } from "../../../src/network/collectives/group.ts";
import { swarm } from "../support/swarm.ts";
import { minimize } from "./linear-program.ts";

const SEED = 20_260_304;

function randomMatrix(seed: number, size: number): LinkMatrix {
  const random = new Random(SEED, "matrix", seed);
  const at = ranksOf(size).map(() => random.below(3)); // Three places, far from one another.
  const links = ranksOf(size).map((from) =>
    ranksOf(size).map((to) => ({
      latencyMs: (at[from] === at[to] ? 1 : 30) * (0.5 + random.uniform()),
      bytesPerMs: (at[from] === at[to] ? 10_000 : 1_000) * (0.2 + random.uniform()),
    })),
  );
  return { links };
}

test("simulated times are the closed forms of the alpha-beta model where links are alike", () => {
  const [latencyMs, bytesPerMs, bytes] = [5, 1_000, 80_000];
  for (const size of [2, 3, 4, 8, 16]) {
    const matrix = uniformMatrix(size, { latencyMs, bytesPerMs });
    const bytesOf = (): number => bytes / size;
    const hopMs = latencyMs + bytes / size / bytesPerMs;
    expect(simulatedMs(ringAllReduce(size), matrix, { bytesOf })).toBeCloseTo(2 * (size - 1) * hopMs);
    const directMs = 2 * (latencyMs + ((size - 1) * bytes) / size / bytesPerMs);
    expect(simulatedMs(directAllReduce(size), matrix, { bytesOf })).toBeCloseTo(directMs);
    const treeMs = simulatedMs(binomialBroadcast(size, 0), matrix, { bytesOf: () => bytes });
    expect(treeMs).toBeGreaterThanOrEqual(Math.ceil(Math.log2(size)) * (bytes / bytesPerMs));
  }
});

test("slices make a pipeline: a ring broadcast of many costs little more than one transfer", () => {
  const matrix = uniformMatrix(8, { latencyMs: 1, bytesPerMs: 1_000 });
  const time = (slices: number): number =>
    simulatedMs(sliced(ringAllReduce(8), slices), matrix, {
      bytesOf: () => 800_000 / 8 / slices,
      reduceBytesPerMs: 1_000,
    });
  expect(time(8)).toBeLessThan(0.7 * time(1));
});

test("a ring is exact up to 10 members, and the heuristic within 5% of it", () => {
  for (let seed = 0; seed < 60; seed++) {
    const size = 3 + (seed % 8);
    const matrix = randomMatrix(seed, size);
    const exact = exactOrder(matrix, 100_000);
    const searched = searchedOrder(matrix, 100_000);
    expect([...exact].sort((a, b) => a - b)).toEqual(ranksOf(size));
    expect([...searched].sort((a, b) => a - b)).toEqual(ranksOf(size));
    const [best, found] = [exact, searched].map((order) => bottleneckMs(matrix, order, 100_000)) as [number, number];
    expect(found, `seed ${seed}`).toBeGreaterThanOrEqual(best - 1e-9);
    expect(found, `seed ${seed}`).toBeLessThanOrEqual(1.05 * best);
  }
  for (const size of [1, 2, 11, 24]) expect(new Set(ringOrder(randomMatrix(size, size), 1_000)).size).toBe(size);
});

test("no order of up to 7 members is better than the exact one", () => {
  const orders = (left: readonly number[]): number[][] =>
    left.length === 0
      ? [[]]
      : left.flatMap((one) => orders(left.filter((other) => other !== one)).map((rest) => [one, ...rest]));
  for (let seed = 0; seed < 6; seed++) {
    const size = 4 + (seed % 4);
    const matrix = randomMatrix(100 + seed, size);
    const best = Math.min(...orders(ranksOf(size).slice(1)).map((rest) => bottleneckMs(matrix, [0, ...rest], 5_000)));
    expect(bottleneckMs(matrix, exactOrder(matrix, 5_000), 5_000)).toBeCloseTo(best, 9);
  }
});

test("unequal shares are those of the linear program: least T with 1 + (n-2) s_i <= T b_i / V", () => {
  for (let seed = 0; seed < 200; seed++) {
    const random = new Random(SEED, "shares", seed);
    const size = 1 + random.below(12);
    const bandwidths = ranksOf(size).map(() => 100 * (0.05 + random.uniform()));
    const { shares, msPerByte } = linkShares(bandwidths);
    expect(shares.reduce((sum, share) => sum + share, 0)).toBeCloseTo(1, 9);
    if (size === 1) continue;
    // Unknowns: T, s_1 .. s_n. All at least 0.
    const solution = minimize({
      costs: [1, ...shares.map(() => 0)],
      atMost: bandwidths.map((b, rank) => ({
        row: [-b, ...shares.map((_, at) => (at === rank ? size - 2 : 0))],
        bound: -1,
      })),
      equal: [{ row: [0, ...shares.map(() => 1)], bound: 1 }],
    });
    expect(msPerByte, `seed ${seed}`).toBeCloseTo(solution, 6);
    for (const [rank, share] of shares.entries()) {
      expect(share).toBeGreaterThanOrEqual(0);
      expect(1 + (size - 2) * share).toBeLessThanOrEqual(msPerByte * (bandwidths[rank] ?? 0) + 1e-9);
    }
  }
});

test("small buffers take few hops, large ones spread their bytes; what is near stays near", () => {
  const matrix = uniformMatrix(16, { latencyMs: 10, bytesPerMs: 1_000 });
  const selection = new Selection(matrix);
  expect(selection.choose("broadcast", 4, 0)).not.toBe("ring");
  expect(selection.choose("all-reduce", 16_000_000, 0)).not.toBe("tree");
  const places = [ranksOf(8), ranksOf(16).slice(8)];
  const links = ranksOf(16).map((from) =>
    ranksOf(16).map((to) =>
      from < 8 === to < 8 ? { latencyMs: 1, bytesPerMs: 10_000 } : { latencyMs: 40, bytesPerMs: 200 },
    ),
  );
  const best = new Selection({ links }, { near: places }).candidates("all-reduce", 1_000_000, 0);
  const msOf = (name: string): number => best.find(({ algorithm }) => algorithm === name)?.ms ?? Infinity;
  expect(msOf("two-level")).toBeLessThan(msOf("direct"));
  expect(msOf("two-level")).toBeLessThan(msOf("tree"));
});

test.each([2, 3, 4, 5])("%i members measure their links alike, and choose alike", async (size) => {
  const { groups, run, muxes, peers, network } = await swarm(size, SEED, {
    network: { latencyMs: 20, jitterMs: 0, bytesPerMs: 500 },
  });
  const measured = await run(
    Promise.all(
      groups(1).map((group) =>
        measureLinks(group, network.clockOf(group.members[group.rank] ?? ""), { operation: 100, deadlineMs: 60_000 }),
      ),
    ),
  );
  for (const matrix of measured) expect(matrix).toEqual(measured[0]);
  expect(operationsOfMeasuring(size)).toBeLessThan(60);
  for (const [from, row] of (measured[0]?.links ?? []).entries()) {
    for (const [to, { latencyMs, bytesPerMs }] of row.entries()) {
      if (from === to) continue;
      expect(latencyMs).toBeCloseTo(20, 0);
      expect(Math.abs(bytesPerMs / 500 - 1)).toBeLessThan(0.05);
    }
  }
  const chosen = measured.map((matrix) => new Selection(matrix));
  const next = muxes.map(
    (mux, rank) =>
      new Group({
        mux,
        members: peers,
        fence: { incarnation: 1, epoch: 2 },
        clock: network.clockOf(mux.self),
        ...chosen[rank]?.groupOptions(),
      }),
  );
  const sums = await run(
    Promise.all(
      next.map((group) =>
        group.allReduce(new Float32Array(10_000).fill(group.rank), {
          operation: 1,
          category: "gradients",
          deadlineMs: 60_000,
        }),
      ),
    ),
  );
  for (const sum of sums) expect(sum[9_999]).toBe((size * (size - 1)) / 2);
});
