/**
 * The order of ranks around a ring. A ring is as fast as its slowest link, so that one is made as cheap as it can be,
 * and among equals the sum of all. Exact up to 10 ranks, by local search beyond.
 */
import { Random } from "../../../base/random.ts";
import { ranksOf } from "../program.ts";
import { costOf } from "./link-matrix.ts";
import type { LinkMatrix } from "./link-matrix.ts";

/** The cost of the dearest link, then of all together. */
type RingCost = readonly [bottleneckMs: number, sumMs: number];

const EXACT_MAX = 10;
const STARTS = 12;
const SHAKES = 150;

/** Ranks in ring order, beginning with 0, for messages of so many bytes. */
export function ringOrder(matrix: LinkMatrix, messageBytes: number): number[] {
  return matrix.links.length <= EXACT_MAX ? exactOrder(matrix, messageBytes) : searchedOrder(matrix, messageBytes);
}

/** Milliseconds that a message takes over the dearest link of a ring. */
export function bottleneckMs(matrix: LinkMatrix, order: readonly number[], messageBytes: number): number {
  return ringCost(hopCosts(matrix, messageBytes), order)[0];
}

/** Over all ways through the sets of ranks, as Held and Karp (1962) do for sums. */
export function exactOrder(matrix: LinkMatrix, messageBytes: number): number[] {
  const size = matrix.links.length;
  const costs = hopCosts(matrix, messageBytes);
  const paths = new Map<number, Path>([[1 * size, { cost: [0, 0], order: [0] }]]); // By set * size + last rank.
  for (let set = 1; set < 2 ** size; set += 2) {
    for (const last of ranksOf(size)) {
      const path = paths.get(set * size + last);
      if (path === undefined) continue;
      for (const next of ranksOf(size)) {
        if ((set & (1 << next)) !== 0) continue;
        const key = (set | (1 << next)) * size + next;
        const cost = plus(path.cost, costs[last]?.[next] ?? 0);
        const known = paths.get(key);
        if (known === undefined || isCheaper(cost, known.cost)) paths.set(key, { cost, order: [...path.order, next] });
      }
    }
  }
  const all = ranksOf(size).flatMap((last) => paths.get((2 ** size - 1) * size + last) ?? []);
  return all.reduce((best, path) => (isCheaper(ringCost(costs, path.order), ringCost(costs, best.order)) ? path : best))
    .order;
}

interface Path {
  readonly cost: RingCost;
  readonly order: readonly number[] & number[];
}

/**
 * From several greedy starts: reversals and moves of stretches while any of them helps, then the best of them shaken
 * and improved again (iterated local search).
 */
export function searchedOrder(matrix: LinkMatrix, messageBytes: number): number[] {
  const size = matrix.links.length;
  const costs = hopCosts(matrix, messageBytes);
  const starts = ranksOf(Math.min(STARTS, size)).map((at) => greedyOrder(costs, Math.floor((at * size) / STARTS)));
  const powers = smoothed(costs);
  const found = [ranksOf(size), ...starts].map((order) => improved(powers, order));
  const better = (one: number[], two: number[]): number[] =>
    isCheaper(ringCost(costs, two), ringCost(costs, one)) ? two : one;
  const random = new Random("ring order");
  let best = found.reduce(better);
  for (let shake = 0; shake < SHAKES; shake++) best = better(best, improved(powers, shaken(best, random)));
  const first = best.indexOf(0);
  return [...best.slice(first), ...best.slice(0, first)];
}

type Costs = readonly (readonly number[])[];

function hopCosts(matrix: LinkMatrix, messageBytes: number): Costs {
  const size = matrix.links.length;
  return ranksOf(size).map((from) =>
    ranksOf(size).map((to) => {
      const { latencyMs, bytesPerMs } = costOf(matrix, from, to);
      return from === to ? 0 : latencyMs + messageBytes / bytesPerMs;
    }),
  );
}

function greedyOrder(costs: Costs, start: number): number[] {
  const order = [start];
  const left = new Set(costs.keys());
  left.delete(start);
  while (left.size > 0) {
    const row = costs[order.at(-1) ?? 0] ?? [];
    const next = [...left].reduce((best, one) => ((row[one] ?? 0) < (row[best] ?? 0) ? one : best));
    order.push(next);
    left.delete(next);
  }
  return order;
}

/** Four stretches in another order: what no reversal undoes. */
function shaken(order: readonly number[], random: Random): number[] {
  const cuts = [0, 0, 0].map(() => random.below(order.length + 1)).sort((a, b) => a - b);
  const [a = 0, b = 0, c = 0] = cuts;
  return [...order.slice(0, a), ...order.slice(b, c), ...order.slice(a, b), ...order.slice(c)];
}

/** Reversals of stretches, and moves of stretches of up to three, each looked at in constant time, while any helps. */
function improved(powers: Costs, order: readonly number[]): number[] {
  let best = [...order];
  for (let next: number[] | null = best; next !== null; next = betterNeighbour(powers, best)) best = next;
  return best;
}

function betterNeighbour(powers: Costs, order: readonly number[]): number[] | null {
  const size = order.length;
  const cost = (from: number, to: number): number => powers[order[from % size] ?? 0]?.[order[to % size] ?? 0] ?? 0;
  const [forth, back] = [new Float64Array(size + 1), new Float64Array(size + 1)]; // Sums up to a place.
  for (let at = 0; at < size; at++) {
    forth[at + 1] = (forth[at] ?? 0) + cost(at, at + 1);
    back[at + 1] = (back[at] ?? 0) + cost(at + 1, at);
  }
  const enough = -1e-9 * (forth[size] ?? 0);
  for (let from = 0; from < size; from++) {
    for (let to = from + 1; to < size; to++) {
      if (reversalGain(from, to, { size, cost, forth, back }) >= enough) continue;
      return [...order.slice(0, from), ...order.slice(from, to + 1).reverse(), ...order.slice(to + 1)];
    }
  }
  for (let length = 1; length <= Math.min(3, size - 2); length++) {
    for (let from = 0; from + length <= size; from++) {
      const [before, last, after] = [from + size - 1, from + length - 1, from + length];
      const cut = cost(before, after) - cost(before, from) - cost(last, after);
      for (let at = after; at < before; at++) {
        if (cut + cost(at, from) + cost(last, at + 1) - cost(at, at + 1) < enough)
          return moved(order, from, length, at);
      }
    }
  }
  return null;
}

interface Sums {
  readonly size: number;
  readonly cost: (from: number, to: number) => number;
  readonly forth: Float64Array;
  readonly back: Float64Array;
}

/** What a ring costs more when the stretch from one place to another is turned round. */
function reversalGain(from: number, to: number, { size, cost, forth, back }: Sums): number {
  const sum = (sums: Float64Array): number => (sums[to] ?? 0) - (sums[from] ?? 0);
  const inside = sum(back) - sum(forth);
  if (to - from === size - 1) return inside + cost(0, size - 1) - cost(size - 1, 0);
  const [before, after] = [from + size - 1, to + 1];
  return inside + cost(before, to) + cost(from, after) - cost(before, from) - cost(to, after);
}

/** The stretch goes behind the place `at`, which may be beyond the end: places go round. */
function moved(order: readonly number[], from: number, length: number, at: number): number[] {
  const turned = [...order.slice(from), ...order.slice(0, from)];
  const behind = at - from + 1;
  return [...turned.slice(length, behind), ...turned.slice(0, length), ...turned.slice(behind)];
}

function ringCost(costs: Costs, order: readonly number[]): RingCost {
  return order.reduce<RingCost>(
    (cost, rank, at) => plus(cost, costs[rank]?.[order[(at + 1) % order.length] ?? 0] ?? 0),
    [0, 0],
  );
}

/** Mostly the dearest links, but falling with every one: the bottleneck alone gives a search no direction. */
function smoothed(costs: Costs): Costs {
  const dearest = Math.max(...costs.flat(), Number.MIN_VALUE);
  return costs.map((row) => row.map((cost) => eighthPower(cost / dearest)));
}

/** By products: engines round `**` differently, and all members have to find the same order. */
function eighthPower(value: number): number {
  const square = value * value;
  const fourth = square * square;
  return fourth * fourth;
}

function plus([bottleneck, sum]: RingCost, more: number): RingCost {
  return [Math.max(bottleneck, more), sum + more];
}

/** Sums that differ by rounding alone are equal: else a search would never end. */
function isCheaper(a: RingCost, b: RingCost): boolean {
  return a[0] < b[0] || (a[0] === b[0] && a[1] < b[1] - 1e-9 * b[1]);
}
