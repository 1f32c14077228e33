/** The agreement on who is gone, run on its own with messages in any order. */
import { expect, test } from "vitest";
import { Random } from "../../../src/base/random.ts";
import { ranksOf } from "../../../src/network/collectives/program.ts";
import { excludedRanks } from "../../../src/network/collectives/verdict/exclusion.ts";
import { beginVerdict, judge } from "../../../src/network/collectives/verdict/verdict-state.ts";
import type { View } from "../../../src/network/collectives/verdict/verdict-state.ts";
import { decodeView, encodeView } from "../../../src/network/collectives/verdict/view-codec.ts";
import { CALM, judgeRuns, LIMITS, play, WILD } from "./verdict-runs.ts";

test("in 400 runs with crashes all living members agree, and leave out none of their own", () => {
  for (let seed = 0; seed < 400; seed++) {
    const { size, dead, outcomes } = play(seed, CALM);
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

test("in 400 runs with crashes and cuts nobody waits for ever, members that count on each other agree, and hardly any that is counted on has left", () => {
  const { agreed, missing, splits } = judgeRuns(400, { ...CALM, cutsMax: 2 });
  expect(splits).toEqual([]);
  expect(agreed).toBeGreaterThan(500);
  expect(missing / agreed).toBeLessThan(0.01);
});

// Seeds 173 and 284: whoever adopts what one that is left in tells it, whatever it told before, is of two minds with others.
test("in 400 runs where links break all at once members that count on each other agree", () => {
  const { agreed, missing, splits } = judgeRuns(400, WILD);
  expect(splits).toEqual([]);
  expect(agreed).toBeGreaterThan(1_000);
  expect(missing / agreed).toBeLessThan(0.05);
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

test("whoever heard of the same accusations leaves out the same members, in whatever order they came", () => {
  const accuse = (...pairs: [number, number][]) => pairs.map(([accuser, accused]) => ({ accuser, accused }));
  // 0 and 5, or 2 and 3: as many, as often accused, and of the same sum.
  const square = accuse([0, 2], [2, 0], [0, 3], [3, 0], [5, 2], [2, 5], [5, 3], [3, 5]);
  expect(excludedRanks(square)).toEqual([0, 5]);
  expect(excludedRanks([...square].reverse())).toEqual([0, 5]);
  for (let seed = 0; seed < 2_000; seed++) {
    const random = new Random(seed, "accusations");
    const size = 3 + random.below(8);
    const all = accuse(...ranksOf(1 + random.below(24)).map((): [number, number] => [random.below(size), random.below(size)])).filter(({ accuser, accused }) => accuser !== accused); // prettier-ignore
    expect(excludedRanks(random.shuffle([...all])), `seed ${seed}`).toEqual(excludedRanks(all));
  }
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
    { kind: "decided", accusations: [{ accuser: 2, accused: 1 }] },
  ];
  for (const view of views) expect(decodeView(encodeView(view), 4)).toEqual(view);
  for (const bytes of [[], [9], [1, 0], [1, 0, 0], [2, 3, 0], [2, 4, 0, 1, 0], [1, 0, 0, 7, 0]]) {
    expect(decodeView(Uint8Array.from(bytes), 4)).toBeNull();
  }
});
