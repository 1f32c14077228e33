/** The agreement on who is gone, run on its own with messages in any order. */
import { expect, test } from "vitest";
import { Random } from "../../../src/base/random.ts";
import { ranksOf } from "../../../src/network/collectives/program.ts";
import { excludedRanks } from "../../../src/network/collectives/verdict/exclusion.ts";
import { beginVerdict, judge } from "../../../src/network/collectives/verdict/verdict-state.ts";
import type { VerdictEvent, VerdictState, View } from "../../../src/network/collectives/verdict/verdict-state.ts";
import { decodeView, encodeView } from "../../../src/network/collectives/verdict/view-codec.ts";

const LIMITS = { silenceMsMax: 1_000, agreementMsMax: 2_000 };
const BEAT_MS = 250;

interface Outcome {
  readonly lost: readonly number[];
  readonly isAgreed: boolean;
}

/** Members that crash at some moment, and pairs whose links break; messages take up to `delayMs`. */
function play(
  seed: number,
  cutsMax: number,
): { size: number; dead: Set<number>; outcomes: Map<number, Outcome>; endMs: number } {
  const random = new Random(seed, "verdict");
  const size = 2 + random.below(9);
  const delayMs = 1 + random.below(200);
  const crashes = new Map(ranksOf(random.below(3)).map(() => [random.below(size), random.below(2_500)]));
  const cuts = ranksOf(random.below(1 + cutsMax)).map(
    () => [random.below(size), random.below(size), random.below(2_500)] as const,
  );
  const states: VerdictState[] = ranksOf(size).map((rank) => beginVerdict(rank, size, 0));
  const outcomes = new Map<number, Outcome>();
  let wire: { readonly atMs: number; readonly to: number; readonly from: number; readonly view: View }[] = [];
  let nowMs = 0;
  const isDead = (rank: number): boolean => (crashes.get(rank) ?? Infinity) <= nowMs;
  const isCut = (a: number, b: number): boolean =>
    cuts.some(([x, y, atMs]) => atMs <= nowMs && ((x === a && y === b) || (x === b && y === a)));
  const feed = (rank: number, event: VerdictEvent): void => {
    if (isDead(rank)) return;
    const { state, effects } = judge(states[rank] as VerdictState, event, nowMs, LIMITS);
    states[rank] = state;
    for (const effect of effects) {
      if (effect.kind === "decide") {
        expect(outcomes.has(rank), `seed ${seed}: rank ${rank} decides twice`).toBe(false);
        outcomes.set(rank, effect);
        continue;
      }
      for (const to of ranksOf(size)) {
        if (to === rank || (effect.to !== undefined && effect.to !== to)) continue;
        wire.push({ atMs: nowMs + random.below(delayMs), to, from: rank, view: effect.view });
      }
    }
  };
  for (; nowMs < 12_000; nowMs += 10) {
    const due = wire.filter(({ atMs }) => atMs <= nowMs);
    wire = wire.filter(({ atMs }) => atMs > nowMs);
    for (const { to, from, view } of random.shuffle(due)) if (!isCut(from, to)) feed(to, { kind: "told", from, view });
    for (const rank of ranksOf(size)) if ((nowMs + 30 * rank) % BEAT_MS < 10) feed(rank, { kind: "tick" });
  }
  return { size, dead: new Set(ranksOf(size).filter(isDead)), outcomes, endMs: nowMs };
}

test("in 400 runs with crashes all living members agree, and leave out none of their own", () => {
  for (let seed = 0; seed < 400; seed++) {
    const { size, dead, outcomes } = play(seed, 0);
    const living = ranksOf(size).filter((rank) => !dead.has(rank));
    for (const rank of living) {
      const lost = [...dead].sort((a, b) => a - b);
      const expected = dead.size > 0 ? { kind: "decide", lost, isAgreed: true } : undefined;
      // Whoever died after the others had decided is the next epoch's business.
      const own = outcomes.get(rank);
      if (own && own.lost.length < lost.length) expect(own, `seed ${seed}`).toEqual(outcomes.get(living[0] ?? 0));
      else expect(own, `seed ${seed}: rank ${rank}`).toEqual(expected);
    }
  }
});

test("in 400 runs with crashes and cuts nobody waits for ever, and verdicts of those who count on each other differ in less than 1 of 100", () => {
  let [agreed, differing] = [0, 0];
  for (let seed = 0; seed < 400; seed++) {
    const { size, dead, outcomes } = play(seed, 2);
    const living = ranksOf(size).filter((rank) => !dead.has(rank));
    if (outcomes.size > 0)
      expect([...outcomes.keys()].filter((rank) => !dead.has(rank)).length, `seed ${seed}`).toBe(living.length);
    for (const rank of living) {
      const own = outcomes.get(rank);
      if (own?.isAgreed !== true || own.lost.includes(rank)) continue;
      for (const other of living.filter((one) => !own.lost.includes(one))) {
        const theirs = outcomes.get(other)?.lost ?? [];
        if (theirs.join() !== own.lost.join()) differing += 1;
      }
      agreed += 1;
    }
  }
  expect(agreed).toBeGreaterThan(500);
  expect(differing / agreed).toBeLessThan(0.01);
});

test("the silent are left out, then the smallest set, then the highest ranks", () => {
  const accuse = (...pairs: [number, number][]) => pairs.map(([accuser, accused]) => ({ accuser, accused }));
  expect(excludedRanks([])).toEqual([]);
  expect(excludedRanks(accuse([0, 2], [1, 2], [3, 2]))).toEqual([2]);
  expect(excludedRanks(accuse([3, 0]))).toEqual([0]);
  expect(excludedRanks(accuse([3, 0], [0, 3]))).toEqual([3]);
  expect(excludedRanks(accuse([0, 1], [1, 0], [2, 3], [3, 2]))).toEqual([1, 3]);
  expect(excludedRanks(accuse([0, 1], [0, 2], [0, 3]))).toEqual([1, 2, 3]);
  expect(excludedRanks(accuse([0, 1], [1, 2], [0, 2]))).toEqual([1, 2]);
});

test("33 ranks that all accuse one another are told apart at once, and so are pairs that do", () => {
  const everybody = ranksOf(33).flatMap((accuser) =>
    ranksOf(33).flatMap((accused) => (accuser === accused ? [] : [{ accuser, accused }])),
  );
  expect(excludedRanks(everybody)).toEqual(ranksOf(33).slice(1));
  const pairs = ranksOf(16).flatMap((pair) => [
    { accuser: 2 * pair, accused: 2 * pair + 1 },
    { accuser: 2 * pair + 1, accused: 2 * pair },
  ]);
  expect(excludedRanks(pairs)).toEqual(ranksOf(16).map((pair) => 2 * pair + 1));
});

test("a member that gives up keeps its verdict to itself", () => {
  const accused = judge(beginVerdict(0, 3, 0), { kind: "lost", rank: 1 }, 0, LIMITS).state;
  const nearly = judge(accused, { kind: "tick" }, 300, LIMITS).state;
  const view: View = { kind: "accusing", accusations: [{ accuser: 1, accused: 0 }] };
  const heard = judge(nearly, { kind: "told", from: 2, view }, 400, LIMITS).state;
  const { state, effects } = judge(heard, { kind: "tick" }, 2_500, LIMITS);
  expect(effects).toEqual([{ kind: "decide", lost: [1], isAgreed: false }]);
  expect(judge(state, { kind: "tick" }, 2_750, LIMITS).effects).toEqual([]);
  expect(judge(state, { kind: "told", from: 2, view }, 2_800, LIMITS).effects).toEqual([]);
});

test("a view survives the wire, and other bytes are none", () => {
  const views: View[] = [
    { kind: "accusing", accusations: [] },
    {
      kind: "accusing",
      accusations: [
        { accuser: 3, accused: 1 },
        { accuser: 0, accused: 1 },
      ],
    },
    { kind: "decided", lost: [1, 2] },
  ];
  for (const view of views) expect(decodeView(encodeView(view), 4)).toEqual(view);
  for (const bytes of [[], [9], [1, 0], [1, 0, 0], [2, 4, 0], [1, 0, 0, 7, 0]]) {
    expect(decodeView(Uint8Array.from(bytes), 4)).toBeNull();
  }
});
